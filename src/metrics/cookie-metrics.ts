import { playerNames, playerOf } from './player.ts'
import type { ReadAtScrape, Sample } from './read-at-scrape.ts'

/** What is counted of session cookies. */
export interface CookieMetrics {
  /** A cookie was sent from two places. */
  shared(): void
  /** A session was ridden without its cookie, by a player with this User-Agent. */
  missed(userAgent: string): void
}

export function createCookieMetrics({ counter }: Pick<ReadAtScrape, 'counter'>): CookieMetrics {
  let shared = 0
  const missed = new Map(playerNames.map((name) => [name, 0]))
  counter(
    'session_cookies_shared_total',
    'Session cookies that two addresses of one family sent for longer than a minute.',
    () => [[{}, shared]],
  )
  counter(
    'riders_without_cookie_total',
    'Sessions that were ridden without their session cookie, by player: "strict" would refuse them.',
    () => [...missed].map(([player, count]): Sample => [{ player }, count]),
  )
  return {
    shared() {
      shared++
    },
    missed(userAgent) {
      const player = playerOf(userAgent)
      missed.set(player, (missed.get(player) ?? 0) + 1)
    },
  }
}
