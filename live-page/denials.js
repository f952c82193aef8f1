import { element, find } from './elements.js'
import { clock, plain, player } from './format.js'
import { placeInOrder } from './place-in-order.js'

/** @typedef {import('./messages.js').Denial} Denial */

const MOST = 100

/**
 * The latest denials, newest first.
 * @param {(denial: Denial) => void} onExplain
 */
export function createDenials(onExplain) {
  const body = find('denials', HTMLElement)
  const empty = find('no-denials', HTMLElement)
  /** @type {Map<string, { denial: Denial, row: HTMLElement }>} */
  const shown = new Map()
  /** @type {readonly string[]} */
  let before = []

  /** @param {string} key */
  const drop = (key) => {
    shown.get(key)?.row.remove()
    shown.delete(key)
  }
  /** @param {readonly Denial[]} denials */
  const add = (denials) => {
    for (const denial of denials) {
      const key = keyOf(denial)
      if (!shown.has(key)) shown.set(key, { denial, row: createRow(denial, onExplain) })
    }
    const newestFirst = [...shown.values()].sort((a, b) => compare(b.denial, a.denial))
    for (const { denial } of newestFirst.splice(MOST)) drop(keyOf(denial))
    placeInOrder(
      body,
      newestFirst.map(({ row }) => row),
    )
    empty.hidden = shown.size > 0
  }
  return {
    /** The connection is new, and `replace` will follow. */
    begin() {
      before = [...shown.keys()]
    },
    /**
     * @param {readonly Denial[]} denials all that the gate has. Denials from before `begin` that are not
     * among them are removed
     */
    replace(denials) {
      const known = new Set(denials.map(keyOf))
      for (const key of before) if (!known.has(key)) drop(key)
      before = []
      add(denials)
    },
    /** @param {readonly Denial[]} denials in any order. Those that are shown already are ignored */
    add,
  }
}

/**
 * A gate that was restarted counts its denials from 1 again, so the time is part of the key.
 * @param {Denial} denial
 */
function keyOf({ denial, time }) {
  return `${time} ${denial}`
}

/**
 * @param {Denial} a
 * @param {Denial} b
 */
function compare(a, b) {
  if (a.time === b.time) return a.denial - b.denial
  return a.time < b.time ? -1 : 1
}

/**
 * @param {Denial} denial
 * @param {(denial: Denial) => void} onExplain
 */
function createRow(denial, onExplain) {
  const { time, address, origin, path, userAgent, source, reason, why } = denial
  const button = element('button', 'small', 'Explain')
  button.type = 'button'
  button.ariaLabel = `Explain the denial of ${plain(path || 'an unreadable request')} to ${plain(address || 'nobody known')}`
  button.addEventListener('click', () => onExplain(denial))
  const file = element('td', 'of-path mono', plain(path || '–'))
  file.title = plain(`${origin}${path}`)
  const agent = element('small', '', player(userAgent))
  agent.title = plain(userAgent)
  const byDefault = source === 'default' ? '; the default action refused' : ''
  const meaning = element('small', '', plain(`${why}${byDefault}`))
  return element(
    'tr',
    '',
    element('td', 'of-time nowrap', clock(time, Date.now())),
    element('td', 'of-address', element('span', 'mono', plain(address || '–')), agent),
    file,
    element('td', 'of-reason', element('span', 'mono', plain(reason)), meaning),
    element('td', 'of-explain', button),
  )
}
