import type { StoreLink, StoreState } from '../../../src/state/store-link.ts'
import { createValkeyLink } from '../../../src/state/valkey/valkey-link.ts'
import type { ValkeyStore } from '../../../src/state/valkey/valkey-store.ts'
import { startTimer } from '../../../src/timer.ts'
import type { Scope } from '../../support/scope.ts'
import { until } from '../../support/until.ts'

/** A link, and what it has told. */
export interface RecordedLink {
  readonly link: StoreLink
  /** `opened`, `forgotten`, `usable` or the trouble, in order. */
  readonly told: string[]
  readonly states: StoreState[]
  /** Waits until it has told this so many times. */
  tells(what: string, times?: number): Promise<void>
}

export async function startLink(scope: Scope, store: ValkeyStore, patience = 10_000): Promise<RecordedLink> {
  const told: string[] = []
  const states: StoreState[] = []
  const link = createValkeyLink({
    store,
    clock: () => performance.now(),
    after: startTimer,
    prepare: async (open) => void (await open.marks()),
    onOpened: () => told.push('opened'),
    onForgotten: () => told.push('forgotten'),
    onChange(state) {
      states.push(state)
      told.push(state.node?.usable === true ? 'usable' : (state.node?.trouble ?? 'nothing'))
    },
    onCommand: () => {},
  })
  scope.after(() => link.stop(1_000))
  await link.start(patience)
  return {
    link,
    told,
    states,
    tells: (what, times = 1) =>
      until(
        `it tells ${what} (${told.join(' ')}; ${link.state().message})`,
        () => told.filter((one) => one === what).length >= times,
      ),
  }
}
