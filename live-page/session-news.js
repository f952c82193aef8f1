import { ApiError } from './api.js'

/** Sessions in one page; the gate gives no more. */
const PAGE = 1_000
/**
 * Pages that are refreshed before the first one comes again. The sessions in the list are among the newest.
 */
const NEWS_PAGES = 20
/** Milliseconds between the end of one fetch of all sessions and the next. */
const PAUSE = 5_000
/** Milliseconds between the refreshes of two pages. */
const NEWS_EVERY = 5_000

/**
 * Fetches sessions. Events are only sent when a session begins or ends, so other changes (requests, names,
 * marks) are refreshed one page after the other.
 * @param {import('./api.js').Api} api
 * @param {import('./session-list.js').SessionList} list
 */
export function createSessionNews(api, list) {
  let after = ''
  let pages = 0
  let isFetching = false
  let isStale = false

  /**
   * @param {string} from
   * @returns {Promise<import('./messages.js').SessionPage>}
   */
  const fetchPage = (from) => {
    return api.get(`sessions?limit=${PAGE}${from === '' ? '' : `&after=${encodeURIComponent(from)}`}`)
  }
  const hearNews = async () => {
    try {
      const { sessions, next } =
        document.hidden || isFetching ? { sessions: [], next: after } : await fetchPage(after)
      pages = (pages + 1) % NEWS_PAGES
      after = pages === 0 ? '' : (next ?? '')
      list.put(sessions.filter(({ session }) => list.find(session) !== undefined))
    } catch (error) {
      // When the gate is gone, the connection shows that.
      after = ''
      if (!(error instanceof ApiError || error instanceof TypeError)) throw error
    } finally {
      setTimeout(hearNews, NEWS_EVERY)
    }
  }
  setTimeout(hearNews, NEWS_EVERY)

  return {
    /**
     * Fetches all sessions again. When it is called during a fetch, one more follows.
     * @throws as the API does
     */
    async fetchAll() {
      isStale = true
      if (isFetching) return
      isFetching = true
      try {
        while (isStale) {
          isStale = false
          await list.load(fetchPage)
          // Each fetch walks through all sessions of the gate. Where many come and go, the result is outdated
          // at once.
          if (isStale) await new Promise((resolve) => setTimeout(resolve, PAUSE))
        }
      } finally {
        isFetching = false
      }
    },
  }
}
