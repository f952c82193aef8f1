import { element } from './elements.js'
import { count, milliseconds, plain } from './format.js'

/** Sections in the order in which they are read; what is not named here comes after them. */
const titles = {
  decision: 'Decision',
  nginx: 'What nginx does',
  subrequest: 'The request, as read',
  identity: 'What the verdict is about',
  known: 'What is known',
  occasion: 'Why the backend is asked',
  questions: 'Questions to the backend',
}
/** Values that say more than themselves. @type {Readonly<Record<string, (value: any) => string>>} */
const inWords = {
  holdsFor: (seconds) => (seconds === null ? 'for the life of the session' : `${count(seconds)} s`),
  milliseconds,
}

/**
 * An explanation as headed sections. It is shown as it comes: what a later gate adds to it needs no change here.
 * @param {unknown} explanation
 */
export function createExplanationView(explanation) {
  if (!isRecord(explanation)) return [createValue(explanation)]
  const names = [...new Set([...Object.keys(titles), ...Object.keys(explanation)])]
  return names.flatMap((name) => {
    const value = explanation[name]
    if (value === undefined || value === null || value === '') return []
    const title = element('h3', '', titles[/** @type {keyof typeof titles} */ (name)] ?? spaced(name))
    return [element('section', 'part', title, createValue(value))]
  })
}

/**
 * @param {unknown} value
 * @param {string} [name]
 * @returns {HTMLElement}
 */
function createValue(value, name = '') {
  const read = inWords[name]
  if (read !== undefined) return element('span', '', read(value))
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
 * `userAgent` → `User agent`; a header's name stays as it is.
 * @param {string} name
 */
function spaced(name) {
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
