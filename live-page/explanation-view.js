import { element } from './elements.js'
import { count, milliseconds, plain } from './format.js'

/** The labels of some names on this page. */
const labels = new Map([
  ['ms', 'Took'],
  ['nginx', 'nginx'],
])

/**
 * An explanation in sections with the headings of `alta-auth explain`. The decision comes first. Fields that
 * a later version of the gate adds come last, unchanged.
 * @param {unknown} explanation
 */
export function createExplanationView(explanation) {
  if (!isRecord(explanation)) return [createValue(explanation)]
  const { decision, nginx, subrequest, identity, known, questions, occasion, ...others } = explanation
  const isAsked = Array.isArray(questions) && questions.length > 0
  /** @type {[title: string, value: unknown][]} */
  const sections = [
    ['Decision', isRecord(decision) ? { ...decision, nginx } : undefined],
    ['What nginx tells the gate', subrequest],
    ['How the gate reads it', identity],
    ['What is known', known],
    [`The backend is asked: ${plain(String(occasion))}`, isAsked ? questions : undefined],
    ...Object.entries(others).map(
      ([name, value]) => /** @type {[string, unknown]} */ ([spaced(name), value]),
    ),
  ]
  return sections.flatMap(([title, value]) => {
    if (value === undefined || value === null || value === '') return []
    return [element('section', 'part', element('h3', '', title), createValue(value))]
  })
}

/**
 * @param {unknown} value
 * @param {string} [name]
 * @returns {HTMLElement}
 */
function createValue(value, name = '') {
  const number = withUnit(name, value)
  if (number !== undefined) return element('span', '', number)
  if (Array.isArray(value)) return createList(value)
  if (isRecord(value)) return createFacts(value)
  if (value === null || value === undefined || value === '') return element('span', 'soft', 'none')
  if (typeof value === 'boolean') return element('span', '', value ? 'yes' : 'no')
  if (name === 'verdict') return createVerdict(String(value))
  return element(
    'span',
    typeof value === 'string' && !value.includes(' ') ? 'mono' : '',
    plain(String(value)),
  )
}

/**
 * A number with its unit; undefined when it has none.
 * @param {string} name
 * @param {unknown} value
 */
function withUnit(name, value) {
  if (name === 'holdsFor' && value === null) return 'for the life of the session'
  if (typeof value !== 'number') return undefined
  if (name === 'holdsFor') return `${count(value)} s`
  return name === 'ms' ? milliseconds(value) : undefined
}

/** @param {string} verdict */
function createVerdict(verdict) {
  const pill = element('span', 'pill', plain(verdict))
  pill.dataset.tone = verdict === 'allow' ? 'good' : 'bad'
  return pill
}

/** @param {readonly unknown[]} values */
function createList(values) {
  if (values.length === 0) return element('span', 'soft', 'none')
  if (values.length === 1) return createValue(values[0])
  return element('ol', '', ...values.map((value) => element('li', '', createValue(value))))
}

/** @param {Readonly<Record<string, unknown>>} values */
function createFacts(values) {
  const rows = Object.entries(values).map(([name, value]) => {
    return element('div', '', element('dt', '', spaced(name)), element('dd', '', createValue(value, name)))
  })
  return rows.length === 0 ? element('span', 'soft', 'none') : element('dl', 'facts', ...rows)
}

/**
 * `userAgent` → `User agent`. The name of a header is unchanged.
 * @param {string} name
 */
function spaced(name) {
  const label = labels.get(name)
  if (label !== undefined) return label
  if (name.includes('-')) return plain(name)
  const words = plain(name).replace(
    /([a-z])([A-Z])/g,
    (_, before, after) => `${before} ${after.toLowerCase()}`,
  )
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
