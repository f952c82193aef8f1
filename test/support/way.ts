import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../src/config/read-settings.ts'
import type { GateQuestion } from './ask-gate.ts'
import { findFreePort } from './free-port.ts'
import { getVerdict } from './http-get.ts'
import { mainFile } from './main-process.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

const watcher = fileURLToPath(new URL('watch-way.mjs', import.meta.url))
/** What one request calls by chance, because a timer was due, others do not call. */
const ROUNDS = 4
/** Milliseconds after which what a request leaves for later is done: it belongs to no other one. */
const LATER = 300

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

/** What a request passes on its way through our own code. */
export interface Way {
  /** Files below src/, without their ending. */
  readonly files: readonly string[]
  readonly functions: number
  readonly calls: number
}

export interface WatchedGate {
  /**
   * What these requests have in common, one after the other. `question` gives the request of a round, and may send others
   * first.
   * @param inOrder the files in the order of their first calls. That takes many seconds, else a few milliseconds.
   */
  way(
    question: (round: string, ask: Ask) => GateQuestion | Promise<GateQuestion>,
    inOrder: boolean,
  ): Promise<Way>
}

/** Asks the gate, and returns the reason of its decision. */
export type Ask = (question: GateQuestion) => Promise<string>

/** A gate from dist/main.js that tells which functions a request calls; V8 counts them. */
export async function startWatchedGate(scope: Scope, environment: Environment): Promise<WatchedGate> {
  const port = await findFreePort()
  const child = fork(mainFile, {
    execArgv: ['--import', watcher],
    env: { PATH: process.env['PATH'], LISTEN: `127.0.0.1:${port}`, ADMIN_LISTEN: 'off', ...environment },
    cwd: makeTemporaryFolder(scope),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  scope.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await listening(child)
  const main = readMain()

  /** Asks, and returns what the request has called. */
  const ask = async (question: GateQuestion) => {
    const told = once(child, 'message')
    const { headers } = await getVerdict({ port }, question)
    const [{ calls, order }] = (await told) as [{ calls: readonly Range[]; order: readonly number[] }]
    const own = calls.filter(({ startOffset }) => main.sourceOf(startOffset) !== undefined)
    return { reason: String(headers['x-auth-reason']), own, order }
  }
  // What is done only for the first request belongs to no way.
  await ask({ userAgent: 'the first' })
  const fileOf = ({ startOffset }: Range): string => main.sourceOf(startOffset) ?? ''
  /** The files of these functions in the order of their first calls by one more request. */
  const orderOf = async (functions: readonly Range[], question: GateQuestion) => {
    // Inside each function: V8 takes the first place where it can stop in the innermost one.
    child.send(functions.map(({ startOffset }) => main.placeOf(startOffset + 1)))
    await once(child, 'message')
    const { order } = await ask(question)
    return order.flatMap((at) => functions.slice(at, at + 1).map(fileOf))
  }
  const reasonOf: Ask = async (question) => (await ask(question)).reason

  return {
    async way(question, inOrder) {
      const rounds: (readonly Range[])[] = []
      for (let round = 0; round < ROUNDS; round++) {
        await delay(LATER)
        rounds.push((await ask(await question(`round ${round}`, reasonOf))).own)
      }
      const [first = [], ...others] = rounds
      const common = first.filter(({ startOffset }) =>
        others.every((other) => other.some((one) => one.startOffset === startOffset)),
      )
      const met = inOrder ? await orderOf(common, await question('the last round', reasonOf)) : []
      return {
        files: [...new Set([...met, ...common.map(fileOf)])],
        functions: common.length,
        calls: common.reduce((sum, { count }) => sum + count, 0),
      }
    },
  }
}

/** Resolves when it says that it listens. Its log is read on, so that it can write. @throws when it ends before */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (printed.includes('"message":"listening"')) resolve()
    })
    child.once('exit', () => reject(new Error(`the gate ended: ${printed}`)))
  })
}

/** dist/main.js with its source map. */
function readMain() {
  const text = readFileSync(mainFile, 'utf8')
  const map = new SourceMap(JSON.parse(readFileSync(`${mainFile}.map`, 'utf8')))
  const begins = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]
  const placeOf = (offset: number) => {
    let [lineNumber, beyond] = [0, begins.length]
    while (beyond - lineNumber > 1) {
      const middle = Math.floor((lineNumber + beyond) / 2)
      if ((begins[middle] ?? 0) <= offset) lineNumber = middle
      else beyond = middle
    }
    return { lineNumber, columnNumber: offset - (begins[lineNumber] ?? 0) }
  }
  return {
    placeOf,
    /** The file below src/ that this place comes from; undefined when it comes from a package. */
    sourceOf(offset: number): string | undefined {
      const { lineNumber, columnNumber } = placeOf(offset)
      const entry = map.findEntry(lineNumber, columnNumber)
      return 'originalSource' in entry ? /^\.\.\/src\/(.*)\.ts$/.exec(entry.originalSource)?.[1] : undefined
    },
  }
}
