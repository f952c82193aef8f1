// Loaded before a test file with --import. When no test begins or ends for too long, it prints which tests
// were running and ends the process. So a promise that never resolves, and a loop that never ends, both get a
// name. The runner's own limit only names the file.

import { readdirSync, readFileSync, writeSync } from 'node:fs'
import { afterEach, beforeEach } from 'node:test'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

const NAMES_BYTES = 8_192
const TICK = 250

if (!isMainThread && workerData?.isWatchdog === true) watch()
else if (isMainThread && process.env['NODE_TEST_CONTEXT'] !== undefined) report()

/** The thread of the tests: records what runs, where the other thread can read it at any time. */
function report() {
  const steps = new Int32Array(new SharedArrayBuffer(8))
  const names = new Uint8Array(new SharedArrayBuffer(NAMES_BYTES))
  /** @type {string[]} */
  const running = []
  const note = () => {
    const text = new TextEncoder()
      .encode(running.map((name) => `\n  ${name}`).join(''))
      .subarray(0, NAMES_BYTES)
    names.set(text)
    steps[1] = text.length
    steps[0] = (steps[0] ?? 0) + 1
  }
  beforeEach((t) => {
    running.push(nameOf(t))
    note()
  })
  afterEach((t) => {
    const at = running.indexOf(nameOf(t))
    if (at !== -1) running.splice(at, 1)
    note()
  })
  const seconds = Number(process.env['TEST_PATIENCE'] ?? 120)
  new Worker(new URL(import.meta.url), {
    execArgv: [],
    workerData: { isWatchdog: true, steps, names, seconds },
  }).unref()
}

/** @param {object} t a test's context; where suites are its parents, Node tells their names too */
function nameOf(t) {
  const { name, fullName } = /** @type {{ name: string, fullName?: string }} */ (t)
  return fullName ?? name
}

/** The other thread. It also runs while the tests block their thread. */
function watch() {
  /** @type {{ steps: Int32Array, names: Uint8Array, seconds: number }} */
  const { steps, names, seconds } = workerData
  let last = -1
  let since = performance.now()
  setInterval(() => {
    if (steps[0] !== last) {
      last = steps[0] ?? 0
      since = performance.now()
    }
    if (performance.now() - since < seconds * 1_000) return
    const running = new TextDecoder().decode(names.slice(0, steps[1]))
    const what = running === '' ? ' no test, but a hook or a file' : running
    writeSync(2, `No test began or ended for ${seconds} s, so this process was ended. Running:${what}\n`)
    for (const pid of [...childrenOf(process.pid), process.pid]) end(pid)
  }, TICK)
}

/** @param {number} pid */
function end(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/**
 * What a process has started and that still runs, children of children too.
 * @param {number} pid
 * @returns {number[]}
 */
function childrenOf(pid) {
  try {
    const own = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
    return own.flatMap((child) => [...childrenOf(child), child])
  } catch {
    return []
  }
}
