/** @typedef {import('./messages.js').SessionView} SessionView */
/** @typedef {'user' | 'channel' | 'address' | 'player' | 'since' | 'requests'} Column */

/** The most sessions that the page lists. The gate may have a million. */
const MOST = 20_000
/** How many more there may be before the oldest are removed. */
const SLACK = 1_000

/** @type {Readonly<Record<Column, (session: SessionView) => string | number>>} */
const sortable = {
  user: ({ user }) => user.toLowerCase(),
  channel: ({ channel }) => channel.toLowerCase(),
  address: ({ address }) => address,
  player: ({ userAgent }) => userAgent.toLowerCase(),
  since: ({ start }) => start,
  requests: ({ requests }) => requests,
}

/**
 * The sessions of the gate as far as this page knows them, filtered and sorted.
 * @param {() => void} onChange
 */
export function createSessionList(onChange) {
  /** @type {Map<string, SessionView>} */
  let sessions = new Map()
  /**
   * Changes that happen while the list is fetched, because the list may not contain them. null = ended.
   * Undefined when no list is fetched.
   * @type {Map<string, SessionView | null> | undefined}
   */
  let meanwhile
  let words = ''
  /** @type {{ column: Column, descending: boolean }} */
  let order = { column: 'since', descending: true }
  /** @type {readonly SessionView[] | undefined} */
  let shown
  let total = 0

  const changed = () => {
    shown = undefined
    onChange()
  }
  /** @param {SessionView} session */
  const put = (session) => {
    sessions.set(session.session, session)
    meanwhile?.set(session.session, session)
  }
  /** @param {string} id */
  const drop = (id) => {
    sessions.delete(id)
    meanwhile?.set(id, null)
  }
  const dropOldest = () => {
    if (sessions.size <= MOST + SLACK) return
    total = Math.max(total, sessions.size)
    const newestFirst = [...sessions.values()].sort((a, b) => (a.start < b.start ? 1 : -1))
    for (const { session } of newestFirst.slice(MOST)) sessions.delete(session)
  }
  const select = () => {
    const all = [...sessions.values()]
    const kept = words === '' ? all : all.filter((session) => matches(session, words))
    const value = sortable[order.column]
    const sign = order.descending ? -1 : 1
    return kept.sort((a, b) => {
      const [left, right] = [value(a), value(b)]
      if (left !== right) return left < right ? -sign : sign
      return a.start === b.start ? 0 : a.start < b.start ? 1 : -1
    })
  }
  return {
    /**
     * Fetches all sessions again. The old ones stay until then.
     * @throws as `fetchPage` does
     * @param {(after: string) => Promise<import('./messages.js').SessionPage>} fetchPage `after` is empty for
     * the first page
     */
    async load(fetchPage) {
      /** @type {Map<string, SessionView | null>} */
      const since = new Map()
      meanwhile = since
      /** @type {Map<string, SessionView>} */
      const loaded = new Map()
      try {
        let after = ''
        do {
          const page = await fetchPage(after)
          for (const session of page.sessions) loaded.set(session.session, session)
          after = page.next ?? ''
          total = page.total
        } while (after !== '' && loaded.size < MOST)
      } finally {
        meanwhile = undefined
      }
      for (const [id, session] of since) {
        if (session === null) loaded.delete(id)
        else loaded.set(id, session)
      }
      sessions = loaded
      total = Math.max(total, loaded.size)
      dropOldest()
      changed()
    },
    /** @param {readonly SessionView[]} opened new sessions, or known ones with new values */
    put(opened) {
      for (const session of opened) put(session)
      dropOldest()
      changed()
    },
    /** @param {readonly string[]} ended */
    drop(ended) {
      for (const id of ended) drop(id)
      changed()
    },
    /** @param {string} text */
    filter(text) {
      words = text.trim().toLowerCase()
      changed()
    },
    /** @param {Column} column */
    sortBy(column) {
      const descending =
        order.column === column ? !order.descending : column === 'since' || column === 'requests'
      order = { column, descending }
      changed()
    },
    order: () => order,
    /** @param {string} id */
    find: (id) => sessions.get(id),
    shown: () => (shown ??= select()),
    size: () => sessions.size,
    isFiltered: () => words !== '',
    /** Whether the gate has more sessions than the page lists. */
    isCut: () => total > MOST,
  }
}

/** @typedef {ReturnType<typeof createSessionList>} SessionList */

/**
 * @param {SessionView} session
 * @param {string} words in lower case
 */
function matches({ user, channel, address, userAgent, path, session }, words) {
  return [user, channel, address, userAgent, path, session].some((text) => text.toLowerCase().includes(words))
}
