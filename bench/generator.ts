import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../test/support/scope.ts'

/** What the generator sends: whole requests, byte by byte. */
export interface Play {
  readonly known: readonly string[]
  /** Templates with NUMBER and ADDRESS, in this order. */
  readonly newcomers: readonly string[]
  /** One request in so many is a newcomer's; 0 = none. */
  readonly every: number
}

/** Sends requests and measures the answers. */
export interface Generator {
  /** @throws when wrk fails, or one of its connections fails. */
  run(options: RunOptions): Promise<Load>
}

/** One run of the generator. */
export interface RunOptions {
  readonly port: number
  readonly seconds: number
  readonly connections: number
  /** The first number of newcomers. */
  readonly first: number
  /** The last number of newcomers. After it only known requests are sent. */
  readonly last?: number
  /** Each connection waits 0 to `pace` milliseconds before each request. */
  readonly pace?: number
  /** Ends the run before its time. */
  readonly signal?: AbortSignal
}

/** The result of one run. */
export interface Load {
  readonly requests: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers with a status of 400 or more. */
  readonly refused: number
}

/** Enough to keep all parts busy. With 32 or 128 the order of the contenders is the same. */
export const CONNECTIONS = 64

const script = fileURLToPath(new URL('./replay.lua', import.meta.url))

/** wrk with one thread: the other core is for what is measured. */
export function createGenerator(scope: Scope, folder: string, play: Play): Generator {
  const files = mkdtempSync(join(folder, 'play-'))
  const write = (name: string, requests: readonly string[]): string => {
    const file = join(files, name)
    writeFileSync(file, requests.map((request) => `${request}\0`).join(''), 'latin1')
    return file
  }
  const lists = [write('known', play.known), write('newcomers', play.newcomers), String(play.every)]
  scope.after(() => rmSync(files, { recursive: true, force: true }))

  return {
    async run({ port, seconds, connections, first, last = 0, pace = 0, signal }) {
      const child = spawn(
        'wrk',
        [
          ...['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script],
          ...[`http://127.0.0.1:${port}`, '--', ...lists, String(first), String(last), String(pace)],
        ],
        { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
      )
      const exited = once(child, 'close')
      scope.after(async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
        await exited.catch(() => {})
      })
      // wrk ends its run and reports when it is interrupted.
      signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
        })
      await exited
      return readReport(output)
    },
  }
}

interface Report {
  readonly requests: number
  readonly microseconds: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
  readonly refused: number
}

/** replay.lua prints the last line of wrk's output. */
function readReport(output: string): Load {
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith('{')) throw new Error(`wrk gave no report:\n${output}`)
  const report = JSON.parse(line) as Report
  if (report.requests === 0) throw new Error(`nothing was answered:\n${output}`)
  if (report.failed > 0) throw new Error(`${report.failed} connections or requests failed:\n${output}`)
  return {
    requests: report.requests,
    perSecond: report.requests / (report.microseconds / 1_000_000),
    p50: report.p50 / 1000,
    p99: report.p99 / 1000,
    refused: report.refused,
  }
}
