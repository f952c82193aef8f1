// Loaded into a gate with --import. Tells the parent process which functions of dist/main.js each subrequest
// calls, from the moment it has come in until its answer is sent and all is done that is due at once.

import { Server, ServerResponse } from 'node:http'
import { Session } from 'node:inspector'

/**
 * Places in dist/main.js, as the inspector counts them: from 0.
 * @typedef {{ lineNumber: number, columnNumber: number }} Place
 */

const session = new Session()
session.connect()

/** A session in its own process answers at once. @param {string} method @param {object} [parameters] */
function post(method, parameters = {}) {
  /** @type {any} */
  let answer
  session.post(method, parameters, (error, result) => {
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`)
    answer = result
  })
  return answer
}

/** @param {{ url: string }} script */
const isMain = ({ url }) => url.endsWith('/dist/main.js')

/** The functions that were called since it was asked last: their range in the file, and how often. */
function takeCalls() {
  /** @type {{ result: { url: string, functions: { ranges: { startOffset: number, count: number }[] }[] }[] }} */
  const { result } = post('Profiler.takePreciseCoverage')
  const functions = result.find(isMain)?.functions ?? []
  return functions.flatMap(({ ranges: [range] }) => (range !== undefined && range.count > 0 ? [range] : []))
}

/** Breakpoints, one for each function whose first call is looked for. @type {string[]} */
let breakpoints = []
/** @type {string[]} */
let met = []
let script = ''
session.on('Debugger.scriptParsed', ({ params }) => {
  if (isMain(params)) script = params.scriptId
})
// The program goes on when this returns.
session.on('Debugger.paused', ({ params }) => met.push(...(params.hitBreakpoints ?? [])))

// The parent sends a place in each function: the next subrequest also tells in which order it comes to them.
process.on('message', (/** @type {Place[]} */ places) => {
  post('Debugger.enable')
  breakpoints = places.map((place) => {
    const location = { scriptId: script, ...place }
    return post('Debugger.setBreakpoint', { location }).breakpointId
  })
  process.send?.('ready')
})

function takeOrder() {
  const order = [...new Set(met)].map((id) => breakpoints.indexOf(id))
  if (breakpoints.length > 0) post('Debugger.disable')
  breakpoints = []
  met = []
  return order
}

post('Profiler.enable')
post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

const { emit } = Server.prototype
/** @param {string} name @param {any[]} parameters @this {Server} */
Server.prototype.emit = function (name, ...parameters) {
  if (name === 'request') {
    takeCalls()
    met = []
  }
  return emit.apply(this, /** @type {any} */ ([name, ...parameters]))
}

const { end } = ServerResponse.prototype
/** @param {any[]} parameters @this {ServerResponse} */
ServerResponse.prototype.end = function (...parameters) {
  process.nextTick(() => process.send?.({ calls: takeCalls(), order: takeOrder() }))
  return end.apply(this, /** @type {any} */ (parameters))
}
