import { StoreError, type StoreTrouble } from '../record-store.ts'
import type { StoreNode } from '../shared-store.ts'
import type { StoreLink, StoreLinkOptions, StoreState } from '../store-link.ts'
import type { ValkeyStore } from './valkey-store.ts'

export interface ValkeyLinkOptions extends Omit<StoreLinkOptions, 'store' | 'onSetAside'> {
  readonly store: ValkeyStore
}

/** Milliseconds until what must be known is read again. */
const RETRY = 1_000

/**
 * A store that gates share, whose servers come and go each by itself: the store can be used as long as one of
 * them can, and what is about the others is not done.
 */
export function createValkeyLink(options: ValkeyLinkOptions): StoreLink {
  const { store, clock, after, onCommand } = options
  /** What must be known before the store is used was read. */
  let isReady = false
  let preparing: Promise<void> | undefined
  let since = clock()
  let isStopped = false
  let cancelRetry = (): void => {}
  let tellStarted = (): void => {}
  /** Servers that were told of as unusable, and since when. */
  const told = new Map<string, number>()
  /** Servers that can be used again, which is not told yet. */
  const back = new Map<string, readonly [node: StoreNode, lasted: number]>()

  const isUsable = (): boolean => isReady && !isStopped && store.nodes().some(({ usable }) => usable)

  const state = (): StoreState => {
    const nodes = store.nodes()
    if (isUsable()) return { usable: true, since, nodes }
    const why = nodes.find(({ message }) => message !== undefined)
    const { trouble, message } = why ?? {}
    return {
      ...{ usable: false, since, nodes },
      ...(trouble !== undefined && { trouble }),
      ...(message !== undefined && { message }),
    }
  }

  const timed = async <Result>(
    command: Parameters<typeof onCommand>[0],
    act: () => Promise<Result>,
  ): Promise<Result | undefined> => {
    const began = clock()
    let trouble: StoreTrouble | undefined
    try {
      return await act()
    } catch (error) {
      trouble = error instanceof StoreError ? error.trouble : 'failed'
      return undefined
    } finally {
      onCommand(command, clock() - began, trouble)
    }
  }

  /**
   * Without the closings, while only the server that has them is away: others must be usable without it. They
   * are read when it is back.
   */
  const marks: ValkeyStore['marks'] = () =>
    store.marks().catch((error: unknown) => {
      if (store.nodes().length === 1) throw error
      return []
    })

  /** Reads what must be known, after a server has come back; one after the other, and never twice at once. */
  const prepare = async (): Promise<void> => {
    cancelRetry()
    const isPrepared = await timed('open', async () => {
      await options.prepare({ ...store, marks })
      return true
    })
    if (isStopped) return
    if (isPrepared !== true) {
      cancelRetry = after(RETRY, prepareSoon)
      return
    }
    if (!isReady) since = clock()
    isReady = true
    for (const [node, lasted] of back.values()) options.onChange({ ...state(), node }, lasted)
    back.clear()
    tellStarted()
    options.onOpened()
  }

  const prepareSoon = (): void => {
    if (isStopped || !store.nodes().some(({ usable }) => usable)) return
    const next = (preparing ?? Promise.resolve()).then(prepare).finally(() => {
      if (preparing === next) preparing = undefined
    })
    preparing = next
  }

  /** Servers that were away and are none of ours any more: others are in their place. They are forgotten. */
  const replaced = (): readonly (readonly [name: string, since: number])[] => {
    const ours = new Set(store.nodes().map(({ name }) => name))
    const gone = [...told].filter(([name]) => !ours.has(name))
    for (const [name] of gone) told.delete(name)
    return gone
  }

  const changed = (node: StoreNode, lasted: number): void => {
    if (isStopped) return
    if (node.usable) {
      // That it can be used at first is no change.
      if (told.delete(node.name)) back.set(node.name, [node, lasted])
      for (const [name, was] of replaced()) back.set(name, [node, clock() - was])
      prepareSoon()
      return
    }
    const nodes = store.nodes()
    if (!nodes.some(({ usable }) => usable)) {
      since = clock()
      if (nodes.length === 1) isReady = false
    }
    const wasTold = told.has(node.name) || back.delete(node.name)
    told.set(node.name, node.since)
    if (!wasTold) options.onChange({ ...state(), node }, lasted)
  }

  store.watch({
    onChange: changed,
    onForgotten(node) {
      if (!isStopped) options.onForgotten?.(node)
    },
  })

  return {
    async start(patience) {
      const started = new Promise<void>((resolve) => {
        tellStarted = resolve
      })
      await timed('open', () => store.connect())
      const enough = new Promise<void>((resolve) => {
        const cancel = after(patience, resolve)
        void started.then(cancel)
      })
      await Promise.race([started, enough])
    },
    async use(command, act) {
      return isUsable() ? await timed(command, () => act(store)) : undefined
    },
    isUsable: (viewer) => isUsable() && store.isUsable(viewer),
    state,
    async stop(patience) {
      isStopped = true
      since = clock()
      cancelRetry()
      const enough = new Promise<void>((resolve) => {
        after(patience, resolve)
      })
      await Promise.race([store.close(), enough])
    },
  }
}
