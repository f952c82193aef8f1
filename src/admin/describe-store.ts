import type { ToIso } from '../session/session-view.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { StoreTrouble } from '../state/store-engine.ts'

/** The state of the store, for people and scripts. */
export type DescribedStore =
  | {
      readonly usable: true
      /** ISO 8601 in UTC. */
      readonly since: string
      /** `full`: it takes no new sessions. */
      readonly why?: StoreTrouble
      readonly message?: string
    }
  | {
      readonly usable: false
      readonly since: string
      /** `opening`: the gate has started, and the store is not open yet. */
      readonly why: StoreTrouble | 'opening'
      /** One sentence: what is wrong, and the cure. */
      readonly message: string
    }

/** Null where there is no store. */
export function describeStore(
  store: Pick<SessionStore, 'state'> | undefined,
  toIso: ToIso,
): DescribedStore | null {
  if (store === undefined) return null
  const { usable, since: changed, trouble, message } = store.state()
  const since = toIso(changed)
  if (!usable)
    return { usable, since, why: trouble ?? 'opening', message: message ?? 'the store is being opened; wait' }
  return trouble === undefined || message === undefined
    ? { usable, since }
    : { usable, since, why: trouble, message }
}
