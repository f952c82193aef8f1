import { find, setText } from './elements.js'
import { count, duration, milliseconds, plain, rate } from './format.js'
import { allowed, denied, sum } from './rates.js'

/**
 * The single numbers of the page.
 * @param {import('./messages.js').GateState} state
 */
export function showFigures({ instance, gates, version, uptime, sessions, rates, deadline }) {
  const figures = {
    gate: plain(
      `${gates === undefined ? '' : `${gates.name} · `}${instance} · version ${version} · up ${duration(uptime)}`,
    ),
    live: count(sessions.live),
    limit: `of at most ${count(sessions.limit)}`,
    provisional: count(sessions.provisional),
    allowed: rate(sum(allowed, rates)),
    denied: rate(sum(denied, rates)),
    deadline: `deadline ${milliseconds(deadline)}`,
  }
  for (const [id, text] of Object.entries(figures)) setText(find(id, HTMLElement), text)
}
