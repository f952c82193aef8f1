import type { ToIso } from '../session/session-view.ts'
import type { StoreTrouble } from '../state/record-store.ts'
import type { SessionStore } from '../state/session-store.ts'
import type { StoreNode } from '../state/shared-store.ts'

/** The state of the store, for people and scripts. */
export type DescribedStore = (
  | { readonly usable: true; readonly since: string }
  | {
      readonly usable: false
      /** ISO 8601 in UTC. */
      readonly since: string
      /** `opening`: the gate has started, and the store is not open yet. */
      readonly why: StoreTrouble | 'opening'
      /** One sentence: what is wrong, and the cure. */
      readonly message: string
    }
) & {
  /** Each server, where there are several. */
  readonly nodes?: readonly DescribedNode[]
}

/** One server of a store that gates share. */
export interface DescribedNode {
  readonly name: string
  readonly usable: boolean
  /** ISO 8601 in UTC. */
  readonly since: string
  readonly why?: StoreTrouble
  readonly message?: string
}

/** Null where there is no store. */
export function describeStore(
  store: Pick<SessionStore, 'state'> | undefined,
  toIso: ToIso,
): DescribedStore | null {
  if (store === undefined) return null
  const { usable, since: changed, trouble, message, nodes } = store.state()
  const since = toIso(changed)
  const servers =
    nodes !== undefined && nodes.length > 1 ? { nodes: nodes.map((node) => nodeOf(node, toIso)) } : {}
  if (usable) return { usable, since, ...servers }
  return {
    usable,
    since,
    why: trouble ?? 'opening',
    message: message ?? 'the store is being opened; wait',
    ...servers,
  }
}

function nodeOf({ name, usable, since, trouble, message }: StoreNode, toIso: ToIso): DescribedNode {
  return {
    ...{ name, usable, since: toIso(since) },
    ...(trouble === undefined ? {} : { why: trouble }),
    ...(message === undefined ? {} : { message }),
  }
}
