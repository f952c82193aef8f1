// A flood of bad tokens while viewers play, in a process of its own: node --expose-gc --import tsx
// test/support/flood-run.ts
// Prints one line of JSON: a FloodReport.

import { createDecide } from '../../src/decision/decide.ts'
import { createDenials } from '../../src/decision/memory.ts'
import { createOutage } from '../../src/decision/outage.ts'
import { createIdentify } from '../../src/session/identity.ts'
import { createSessionTable } from '../../src/session/session-table.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import type { FloodReport } from './flood-report.ts'
import { isFull } from './full.ts'
import { received } from './received.ts'

const VIEWERS = 10_000
/** Requests of the flood: more than fill the memory of denies. */
const FLOOD = isFull ? 1_000_000 : 300_000
const MAX_DENIALS = 100_000
/** After so many requests the memory of denies is full. */
const SETTLED = 2 * MAX_DENIALS
/** Requests of the flood per second, on the pretend clock. */
const RATE = 10_000
/** Questions in flight at once. */
const TOGETHER = 100

if (globalThis.gc === undefined) throw new Error('start me with node --expose-gc')
const collect = globalThis.gc

let now = 0
const sessions = createSessionTable({ max: 100_000, maxBytes: 1e9, idle: 120_000 })
const provisional = createSessionTable({ max: 20_000, maxBytes: 1e9, idle: 120_000 })
const denials = createDenials(MAX_DENIALS)
const decide = createDecide({
  ask: ({ subrequest }) =>
    Promise.resolve(
      subrequest.query === 'token=good'
        ? { kind: 'allow', backend: 'pretend', grant: {} }
        : { kind: 'deny', backend: 'pretend', status: 403 },
    ),
  identify: createIdentify({
    tokenParams: ['token'],
    ignoredParams: ['_HLS_*', 'CMCD'],
    channelPattern: undefined,
    credentialPattern: undefined,
  }),
  channelPattern: undefined,
  credentialPattern: undefined,
  sessions,
  provisional,
  denials,
  lifetimes: { allow: 60_000, deny: 5_000, stale: 3_600_000, default: 2_000, resume: 0 },
  defaultAction: 'deny',
  outage: createOutage(),
  clock: () => now,
  random: Math.random,
  onDecision() {},
  onBadDuration() {},
  onInternalError(error) {
    throw error
  },
})

const common = { origin: 'https://live.example.com', userAgent: 'VLC/3.0.21', playbackId: '' }

function viewerRequest(viewer: number, path: string, query: string): Subrequest {
  return { ...common, address: `10.0.${viewer >> 8}.${viewer & 255}`, path, query }
}

const sources = Array.from({ length: 65_536 }, (_, n) => `172.16.${n >> 8}.${n & 255}`)
const filler = `token=${'f'.repeat(190)}`

/**
 * A token like those of real middlewares: 200 bytes, with a unique end. Half of them come from one address.
 */
function badRequest(n: number): Subrequest {
  const address = sources[n % 2 === 0 ? 0 : n & 65_535] ?? ''
  return { ...common, address, path: '/live/one/index.m3u8', query: received(filler + n) }
}

function heap(): number {
  collect()
  return Math.round((process.memoryUsage().heapUsed / 1_048_576) * 10) / 10
}

const ids: string[] = []
for (let viewer = 0; viewer < VIEWERS; viewer++)
  ids.push((await decide(viewerRequest(viewer, '/live/one/index.m3u8', 'token=good'))).sessionId)

let lost = 0
let letIn = 0
let played = 0
const play = (viewer: number): void => {
  const decision = decide(viewerRequest(viewer, `/live/one/${played++}.ts`, ''))
  if (decision instanceof Promise || decision.verdict !== 'allow' || decision.sessionId !== ids[viewer])
    lost++
}

const before = heap()
let settled = 0
const began = performance.now()
for (let sent = 0; sent < FLOOD; ) {
  const flood: Promise<void>[] = []
  for (let n = 0; n < TOGETHER; n++) {
    const refused = async (): Promise<void> => {
      if ((await decide(badRequest(sent))).verdict !== 'deny') letIn++
    }
    flood.push(refused())
    sent++
  }
  await Promise.all(flood)
  now += (TOGETHER / RATE) * 1_000
  // Each viewer plays a segment in each 10 s.
  for (let n = 0; n < TOGETHER / 10; n++) play(played % VIEWERS)
  if (sent === SETTLED) settled = heap()
}
const seconds = (performance.now() - began) / 1_000
const after = heap()
for (let viewer = 0; viewer < VIEWERS; viewer++) play(viewer)

const report: FloodReport = {
  heapBefore: before,
  heapSettled: settled,
  heapAfter: after,
  rss: Math.round(process.memoryUsage().rss / 1_048_576),
  sent: FLOOD,
  refused: FLOOD - letIn,
  played,
  lost,
  sessions: sessions.count() + provisional.count(),
  denials: denials.count(),
  seconds: Math.round(seconds * 10) / 10,
}
console.log(JSON.stringify(report))
