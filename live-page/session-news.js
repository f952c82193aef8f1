import { ApiError } from './api.js'

/** Sessions fetched at once; the gate gives no more. */
const PAGE = 1_000
/** Pages of news before it begins anew: what the page lists is among the newest. */
const NEWS_PAGES = 20
/** Milliseconds that the gate is left alone between two fetches of everything. */
const PAUSE = 5_000
/** Milliseconds between two fetched pages of news. */
const NEWS_EVERY = 5_000

/**
 * Fetches sessions. Events tell only of their beginning and end, so one page after the other is fetched again for the rest: requests,
 * names, marks.
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
      // The connection tells when the gate has gone.
      after = ''
      if (!(error instanceof ApiError || error instanceof TypeError)) throw error
    } finally {
      setTimeout(hearNews, NEWS_EVERY)
    }
  }
  setTimeout(hearNews, NEWS_EVERY)

  return {
    /** All sessions anew; called again meanwhile, once more after that. @throws as the API does */
    async fetchAll() {
      isStale = true
      if (isFetching) return
      isFetching = true
      try {
        while (isStale) {
          isStale = false
          await list.load(fetchPage)
          // Each fetch walks all sessions of the gate, and where many come and go it is stale at once.
          if (isStale) await new Promise((resolve) => setTimeout(resolve, PAUSE))
        }
      } finally {
        isFetching = false
      }
    },
  }
}
