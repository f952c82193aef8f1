import { element, find } from './elements.js'
import { count, duration, plain } from './format.js'

/**
 * The gates that share a store, each with what it says of itself. Hidden where this gate shares it with
 * nobody. Returns whether the rows of the sessions have another height now.
 * @param {import('./messages.js').ShownGates | undefined} gates
 */
export function showGates(gates) {
  const grid = find('grid', HTMLElement)
  find('gates-card', HTMLElement).hidden = gates === undefined
  const isNew = grid.classList.contains('of-gates') !== (gates !== undefined)
  grid.classList.toggle('of-gates', gates !== undefined)
  if (gates === undefined) return isNew
  const rows = gates.all.map((gate) => {
    const state = element('span', 'pill', stateOf(gate, gates))
    state.dataset.tone = gate.answered ? 'good' : 'bad'
    const name = element('td', 'mono', plain(gate.name))
    if (gate.name === gates.name) name.append(element('span', 'soft', ' this one'))
    return element(
      'tr',
      '',
      name,
      element('td', '', state),
      element('td', '', count(gate.sessions)),
      element('td', 'mono', plain(gate.version)),
      element('td', 'nowrap', gate.seen <= SEEN_NOW ? 'now' : `${duration(gate.seen)} ago`),
    )
  })
  find('gates', HTMLElement).replaceChildren(...rows)
  return isNew
}

/** A gate tells every two seconds that it is there. */
const SEEN_NOW = 5

/**
 * @param {import('./messages.js').ShownGate} gate
 * @param {import('./messages.js').ShownGates} gates
 */
function stateOf({ answered }, { away }) {
  if (answered) return 'answers'
  return away ? 'cannot be asked' : 'does not answer'
}
