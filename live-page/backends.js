import { element, setPill, setText } from './elements.js'
import { count, duration, milliseconds, plain, rate } from './format.js'

/** @typedef {import('./messages.js').BackendState} BackendState */

/** The share of the deadline above which the slowest answers are marked. */
const CLOSE = 0.5

/**
 * A list with one entry for each backend. Entries are updated in place.
 * @param {HTMLElement} list
 * @param {(sentence: string) => void} onChange the state of a backend has changed
 */
export function createBackends(list, onChange) {
  /** @type {ReturnType<typeof createEntry>[]} */
  let entries = []
  return {
    /**
     * @param {readonly BackendState[]} backends
     * @param {number} deadline milliseconds
     */
    show(backends, deadline) {
      if (entries.length !== backends.length) {
        entries = backends.map(() => createEntry(onChange))
        list.replaceChildren(...entries.map(({ entry }) => entry))
      }
      for (const [at, backend] of backends.entries()) entries[at]?.show(backend, deadline)
    },
  }
}

/** @param {(sentence: string) => void} onChange */
function createEntry(onChange) {
  const name = element('h3', 'mono')
  const state = element('span', 'pill')
  const why = element('p', 'soft')
  const facts = element('dl', 'facts narrow')
  const entry = element('li', '', element('div', 'title', name, state), why, facts)
  /** @param {string} title */
  const fact = (title) => {
    const value = element('dd', '')
    facts.append(element('div', '', element('dt', '', title), value))
    return value
  }
  const half = fact('Half within')
  const most = fact('99 % within')
  const asked = fact('Questions')
  const flight = fact('In flight')
  const breaker = fact('Breaker')
  let before = ''
  return {
    entry,
    /**
     * @param {BackendState} backend
     * @param {number} deadline
     */
    show(backend, deadline) {
      setText(name, plain(backend.name))
      setPill(state, ...stateOf(backend))
      if (before !== '' && before !== backend.state)
        onChange(`Backend ${name.textContent}: ${state.textContent}.`)
      before = backend.state
      setText(why, sentenceOf(backend))
      setText(half, milliseconds(backend.p50))
      setText(most, milliseconds(backend.p99))
      most.dataset.tone = (backend.p99 ?? 0) > deadline * CLOSE ? 'warm' : ''
      setText(asked, `${rate(backend.perSecond)} a second`)
      setText(
        flight,
        backend.waiting > 0
          ? `${count(backend.inFlight)}, ${count(backend.waiting)} waiting`
          : count(backend.inFlight),
      )
      setText(breaker, backend.breaker)
      breaker.dataset.tone = backend.breaker === 'closed' ? '' : 'warm'
    },
  }
}

/**
 * @param {BackendState} backend
 * @returns {[string, 'good' | 'bad' | '']}
 */
function stateOf({ state }) {
  if (state === 'unavailable') return ['unavailable', 'bad']
  return state === 'answers' ? ['answers', 'good'] : ['not asked yet', '']
}

/** @param {BackendState} backend */
function sentenceOf({ state, why = '', seconds = 0 }) {
  if (state !== 'unavailable') return ''
  return `for ${duration(seconds)}: ${plain(why)}`
}
