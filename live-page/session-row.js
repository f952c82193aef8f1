import { element, setText } from './elements.js'
import { clock, count, duration, plain, player } from './format.js'

/** @typedef {import('./messages.js').SessionView} SessionView */

/** The cells of a row, in order. The last one holds the button. */
export const columns = /** @type {const} */ ([
  'user',
  'channel',
  'address',
  'player',
  'since',
  'requests',
  'close',
])

/**
 * A row that shows one session after the other. The table has as many rows as are visible.
 * @param {(id: string) => void} onClose
 */
export function createSessionRow(onClose) {
  const row = element('div', 'line')
  row.role = 'row'
  const cells = columns.map((column) => {
    const cell = element('div', `of-${column}`)
    cell.role = 'gridcell'
    cell.tabIndex = -1
    row.append(cell)
    return cell
  })
  const [user, channel, address, agent, since, requests, close] = /** @type {HTMLDivElement[]} */ (cells)
  const name = element('span', 'text')
  const mark = element('span', 'pill')
  const came = element('span', 'pill came')
  const at = element('span', 'text')
  const age = element('span', 'soft')
  const number = element('span', '')
  const unit = element('span', 'unit')
  const button = element('button', 'small', 'Close')
  button.type = 'button'
  button.tabIndex = -1
  user?.append(name, mark, came)
  since?.append(at, age)
  requests?.append(number, unit)
  close?.append(button)
  close?.removeAttribute('tabindex')

  let id = ''
  button.addEventListener('click', () => onClose(id))

  return {
    row,
    /** The elements that take the focus, one for each column. @type {HTMLElement[]} */
    stops: [...cells.slice(0, -1), button],
    id: () => id,
    /**
     * @param {SessionView} session
     * @param {number} index from 0
     * @param {number} now milliseconds since 1970
     */
    show(session, index, now) {
      id = session.session
      row.ariaRowIndex = String(index + 2)
      showText(name, session.user === '' ? '–' : session.user)
      showMark(mark, session)
      showCame(came, session)
      if (channel !== undefined) showText(channel, session.channel)
      if (address !== undefined) showText(address, session.address)
      if (agent !== undefined) {
        setText(agent, player(session.userAgent))
        agent.title = plain(session.userAgent)
      }
      setText(at, clock(session.start, now))
      setText(age, duration((now - Date.parse(session.start)) / 1_000))
      setText(number, count(session.requests))
      setText(unit, session.requests === 1 ? ' request' : ' requests')
      const label = `Close the session of ${plain(session.user || session.address)} on ${plain(session.channel)}`
      if (button.ariaLabel !== label) button.ariaLabel = label
    },
  }
}

/** @typedef {ReturnType<typeof createSessionRow>} SessionRow */

/**
 * @param {HTMLElement} shown
 * @param {string} text
 */
function showText(shown, text) {
  const harmless = plain(text)
  setText(shown, harmless)
  if (shown.title !== harmless) shown.title = harmless
}

/**
 * @param {HTMLElement} mark
 * @param {SessionView} session
 */
function showMark(mark, { provisional, unavailable }) {
  mark.hidden = !provisional && unavailable === null
  mark.dataset.tone = 'warm'
  setText(mark, provisional ? 'provisional' : 'stale')
  mark.title = provisional
    ? 'let in by the default action; asked about as soon as the backend answers'
    : `the last re-check got no answer (${plain(unavailable ?? '')}); what was known holds`
}

/**
 * @param {HTMLElement} mark
 * @param {SessionView} session
 */
function showCame(mark, { came, part }) {
  mark.hidden = came === 'opened'
  setText(mark, part > 1 ? `${came}, part ${part}` : came)
  const means =
    came === 'adopted'
      ? 'opened before the gate was started, and taken over from the store'
      : 'silent for a while, then requested again, under the same id'
  mark.title = `${means}: part ${part}`
}
