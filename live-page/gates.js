import { ApiError } from './api.js'
import { element, find, setText } from './elements.js'
import { clock, count, duration, plain } from './format.js'

/** A gate says four times a second that it is there. */
const SEEN_NOW = 5

/**
 * The gates that share a store, each with what it says of itself. Hidden where this gate shares it with
 * nobody.
 * @param {import('./messages.js').ShownGates | undefined} gates
 */
export function showGates(gates) {
  find('gates-card', HTMLElement).hidden = gates === undefined
  if (gates === undefined) return
  const rows = gates.all.map((gate) => {
    const isHere = gate.seen <= SEEN_NOW && !(gates.away && gate.name !== gates.name)
    const state = element('span', 'pill', isHere ? 'is there' : gates.away ? 'cannot be asked' : 'is silent')
    state.dataset.tone = isHere ? 'good' : 'bad'
    return element(
      'tr',
      '',
      element('td', 'mono', nameOf(gate, gate.name === gates.name)),
      element('td', '', state),
      element('td', '', count(gate.sessions)),
      element('td', 'mono', plain(gate.version)),
      element('td', 'nowrap', gate.seen <= SEEN_NOW ? 'now' : `${duration(gate.seen)} ago`),
    )
  })
  find('gates', HTMLElement).replaceChildren(...rows)
  const misfits = find('misfits', HTMLElement)
  misfits.hidden = gates.misfits.length === 0
  setText(misfits, gates.misfits.map(plain).join('; '))
}

/**
 * @param {import('./messages.js').ShownGate} gate
 * @param {boolean} isOwn
 */
function nameOf({ name, page }, isOwn) {
  const shown = element('span', '', plain(name))
  if (isOwn) shown.append(element('span', 'soft', ' this one'))
  if (isOwn || page === undefined || !/^http:\/\//.test(page)) return shown
  const link = element('a', '', shown)
  link.href = page
  return link
}

/**
 * The search that asks all gates: one text, as the sessions have it.
 * @param {import('./api.js').Api} api
 */
export function startSearch(api) {
  const form = find('search-gates', HTMLFormElement)
  const said = find('searched', HTMLElement)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const given = new FormData(form)
    const by = String(given.get('by'))
    const text = String(given.get('text') ?? '').trim()
    if (text === '') return
    try {
      const found = await api.get(`sessions?limit=1000&${by}=${encodeURIComponent(text)}`)
      const now = Date.now()
      const rows = found.sessions.map((/** @type {import('./messages.js').SessionView} */ session) =>
        element(
          'tr',
          '',
          element('td', 'mono', plain(session.gate ?? '')),
          element('td', '', plain(session.user)),
          element('td', '', plain(session.channel)),
          element('td', 'mono', plain(session.address)),
          element('td', 'nowrap', clock(session.start, now)),
        ),
      )
      find('found', HTMLElement).replaceChildren(...rows)
      const silent = (found.gates ?? []).filter(
        (/** @type {{ answered: boolean }} */ { answered }) => !answered,
      )
      const missing = silent.map((/** @type {{ name: string }} */ { name }) => plain(name)).join(', ')
      setText(said, `${count(found.total)} found${missing === '' ? '' : `; no answer of ${missing}`}`)
    } catch (error) {
      setText(said, error instanceof ApiError ? error.message : 'The gate does not answer.')
    }
  })
}
