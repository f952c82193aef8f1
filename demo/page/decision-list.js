// @ts-nocheck: runs in the browser; the project's types know no DOM.

import { explain } from './reasons.js'

const MOST_ROWS = 60
const tones = { allow: 'good', deny: 'bad' }

/**
 * The list of decisions, newest first. A viewer who plays causes a decision each second, so equal decisions
 * share a row with a count. While verdict and source of a session stay the same, each of its reasons has one
 * row.
 */
export function createDecisionList(body, empty) {
  /** Session → its present verdict and source, and the row of each reason. */
  const situations = new Map()

  const add = (decision) => {
    const { session, verdict, source, reason, edge } = decision
    const name = `${verdict} ${source} ${edge}`
    let situation = situations.get(session)
    if (situation?.name !== name) {
      situation = { name, rows: new Map() }
      situations.set(session, situation)
    }
    const known = situation.rows.get(reason)
    if (known?.row.isConnected) return repeat(known, decision)
    const made = createRow(decision)
    situation.rows.set(reason, made)
    body.prepend(made.row)
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove()
    if (situations.size > MOST_ROWS * 2) situations.delete(situations.keys().next().value)
    empty.hidden = true
  }
  return { add }
}

function createRow(decision) {
  const { time, verdict, source, reason, session, path, edge } = decision
  const row = document.createElement('tr')
  const cell = (name, ...content) => {
    const made = document.createElement('td')
    made.className = `of-${name}`
    made.append(...content)
    row.append(made)
    return made
  }
  const until = element('small', '', '')
  cell('time', element('span', 'nowrap', clock(time)), until)
  const pill = element('span', 'pill', verdict)
  pill.dataset.tone = tones[verdict]
  cell('verdict', pill)
  cell(
    'source',
    element('span', '', source),
    element('small', 'nowrap', edge === undefined ? '' : `edge ${edge}`),
  )
  cell('reason', element('span', 'mono', reason), element('small', '', explain(decision)))
  cell('session', element('span', 'mono', session.slice(0, 8))).title = session
  const file = element('span', 'mono', path)
  const count = element('small', '', '')
  cell('path', file, count)
  return { row, until, file, count, times: 1 }
}

function repeat(known, { time, path }) {
  known.times++
  known.until.textContent = `– ${clock(time)}`
  known.file.textContent = path
  known.count.textContent = `${known.times} requests`
}

function element(name, className, text) {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}

/** The time of day in this time zone, whatever the zone of the log is. */
function clock(time) {
  return new Date(time).toLocaleTimeString('en-GB')
}
