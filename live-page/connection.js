import { ApiError } from './api.js'
import { readEvents } from './event-reader.js'

/** Milliseconds. The gate sends something every second, so after this time in silence it is gone. */
const SILENCE = 10_000
/** Milliseconds before the first attempt, and the most before a later one. They are doubled each time. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 15_000

/**
 * @typedef {{ kind: 'connecting' }
 *   | { kind: 'live' }
 *   | { kind: 'waiting', seconds: number, why: string }
 *   | { kind: 'locked' }} LinkState
 *
 * @typedef {object} ConnectionOptions
 * @property {import('./api.js').Api} api
 * @property {(name: string, data: any) => void} onEvent
 * @property {(state: LinkState) => void} onState
 */

/**
 * Listens to the gate's events. After a loss it connects again, each time a little later. When the gate asks
 * for a token it waits for `start`.
 * @param {ConnectionOptions} options
 */
export function createConnection({ api, onEvent, onState }) {
  let attempt = new AbortController()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let pause = FIRST_PAUSE

  const listen = async () => {
    const mine = new AbortController()
    attempt = mine
    let heardAt = performance.now()
    const watch = setInterval(() => {
      if (performance.now() - heardAt > SILENCE) mine.abort()
    }, 1_000)
    try {
      onState({ kind: 'connecting' })
      const body = await api.open('events', mine.signal)
      let isLive = false
      const events = readEvents(body, () => {
        heardAt = performance.now()
      })
      for await (const { name, data } of events) {
        if (attempt !== mine) return
        if (!isLive) onState({ kind: 'live' })
        isLive = true
        pause = FIRST_PAUSE
        try {
          onEvent(name, data)
        } catch (error) {
          // A fault of this page must not count as a loss of the connection.
          reportError(error)
        }
      }
      lose(mine, 'the gate has ended the connection')
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && attempt === mine)
        return onState({ kind: 'locked' })
      lose(mine, error instanceof ApiError ? error.message : 'the gate does not answer')
    } finally {
      clearInterval(watch)
    }
  }
  /**
   * @param {AbortController} lost
   * @param {string} why
   */
  const lose = (lost, why) => {
    if (attempt !== lost) return
    // Random, so that not all pages connect at the same time when a gate comes back.
    const wait = pause * (0.75 + Math.random() / 2)
    pause = Math.min(pause * 2, LONGEST_PAUSE)
    onState({ kind: 'waiting', seconds: Math.ceil(wait / 1_000), why })
    timer = setTimeout(listen, wait)
  }
  const start = () => {
    clearTimeout(timer)
    attempt.abort()
    pause = FIRST_PAUSE
    void listen()
  }
  return { start }
}
