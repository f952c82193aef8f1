// Resident memory of live sessions: npm run measure:memory [-- sessions [cookie]]
// Each session is opened as nginx would open it, with a URL of 200 bytes, an address of its own and a
// player's User-Agent; with `cookie` each gets a session cookie, and sends it once.

import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { createDecide } from '../src/decision/decide.ts'
import { createDenials } from '../src/decision/memory.ts'
import { createOutage } from '../src/decision/outage.ts'
import { readSubrequest } from '../src/gate/read-subrequest.ts'
import { createIdentify } from '../src/session/identity.ts'
import { createSessionTable } from '../src/session/session-table.ts'
import type { Decision } from '../src/verdict.ts'
import { received } from '../test/support/received.ts'
import { userAgents } from './user-agents.ts'

const MILLION = 1_000_000
/** The most resident bytes of a session, when there are a million. */
const MOST = 600

const count = Number(process.argv[2] ?? MILLION)
const hasCookies = process.argv[3] === 'cookie'
if (globalThis.gc === undefined) throw new Error('start me with node --expose-gc: npm run measure:memory')
const collect = globalThis.gc

const sessions = createSessionTable({ max: count, maxBytes: Number.POSITIVE_INFINITY, idle: 3_600_000 })
const decide = createDecide({
  ask: () => Promise.resolve({ kind: 'allow', backend: 'http://127.0.0.1:6000/auth', grant: {} }),
  identify: createIdentify({
    tokenParams: ['token'],
    ignoredParams: ['_HLS_*', 'CMCD'],
    channelPattern: undefined,
    credentialPattern: undefined,
  }),
  channelPattern: undefined,
  credentialPattern: undefined,
  sessions,
  provisional: createSessionTable({ max: 1000, maxBytes: Number.POSITIVE_INFINITY, idle: 3_600_000 }),
  denials: createDenials(1000),
  lifetimes: { allow: 60_000, deny: 5_000, stale: 3_600_000, default: 2_000, resume: 0 },
  defaultAction: 'deny',
  outage: createOutage(),
  clock: () => Math.round(performance.now()),
  random: Math.random,
  onDecision() {},
  onBadDuration() {},
  onInternalError(error) {
    throw error
  },
})

function headersOf(index: number, cookie = ''): Record<string, string> {
  const path = `/live/region-${index % 40}/channel-${index % 500}/index.m3u8`
  const origin = 'https://live.example.com'
  const token = `${index.toString(16).padStart(16, '0')}`.repeat(10)
  const uri = `${path}?token=${token}`.slice(0, 200 - origin.length)
  return {
    ...(hasCookies && { 'x-original-cookie': `3|${cookie}` }),
    'x-original-ip': received(
      `${10 + (index >> 24)}.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    ),
    'x-original-origin': received(origin),
    'x-original-path': received(`${path}|`),
    'x-original-uri': received(uri),
    'x-original-ua': received(userAgents[index % userAgents.length] ?? ''),
  }
}

async function ask(headers: Record<string, string>): Promise<Decision> {
  const subrequest = readSubrequest(headers, 'on')
  if ('refused' in subrequest) throw new Error(subrequest.refused)
  return await decide(subrequest)
}

async function open(index: number): Promise<void> {
  const { newCookie } = await ask(headersOf(index))
  if (hasCookies) await ask(headersOf(index, newCookie))
}

await open(0)
collect()
const before = process.memoryUsage()
for (let index = 1; index < count; index++) await open(index)
collect()
// V8 gives freed pages back in the background.
await delay(3000)
collect()
const after = process.memoryUsage()
const perSession = (name: 'rss' | 'heapUsed'): number =>
  Math.round((after[name] - before[name]) / (count - 1))
if (sessions.count() !== count) throw new Error(`expected ${count} sessions, found ${sessions.count()}`)
const figures = {
  sessions: count,
  rssMiB: Math.round(after.rss / 1048576),
  rssBytesPerSession: perSession('rss'),
  heapBytesPerSession: perSession('heapUsed'),
}
const numeral = (value: number): string => value.toLocaleString('en')
// The row of docs/performance.md, and the same as JSON.
console.log(
  `${numeral(count)} sessions: ${figures.rssBytesPerSession} bytes resident for each, ${figures.rssMiB} MiB in all`,
)
console.log(`Node.js ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores`)
console.log(JSON.stringify(figures))
// Only a million sessions are judged. With fewer, the memory of the process itself changes the figure too
// much.
if (count >= MILLION && figures.rssBytesPerSession > MOST) {
  console.error(`a session takes more than ${MOST} bytes`)
  process.exitCode = 1
}
