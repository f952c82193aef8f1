import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Edges, type LonelyEdge, startEdges } from './edges.ts'
import { startLongResponse } from './long-response.ts'
import { createNewcomers, describeTimes, type Times } from './newcomers.ts'
import { openRawLine } from './raw-line.ts'

/** What happens to a store while viewers play. */
export interface StateFault {
  /** The store's settings, as each of the two gates has them. */
  readonly stores: readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>]
  /** Further settings of both gates. */
  readonly settings?: Readonly<Record<string, string>>
  /** It goes wrong. */
  readonly begin: (edges: Edges) => Promise<void>
  /** How long it stays so, in milliseconds. */
  readonly lasts: number
  /** It is right again. */
  readonly end: (edges: Edges) => Promise<void>
  /** Whether a gate must say that its store was away; false: nobody need notice. */
  readonly isNoticed?: boolean
  /** Behind each nginx there are both gates. */
  readonly areAllBehind?: boolean
  /** The store is away before the gates start. */
  readonly isDownAtStart?: boolean
}

/** SESSION_IDLE and its half, after which what plays is told again; milliseconds. */
const IDLE = 8_000
const REPORT = IDLE / 2
/** STATE_TIMEOUT as it is unless set, and what a newcomer may take beyond it; milliseconds. */
const TIMEOUT = 100
const ALLOWANCE = 50
/** What a busy machine may add; milliseconds. */
const SPARE = 1_500
/** Gates that a busy machine keeps from running miss heartbeats, and count alone until the next one. */
const PATIENCE = 16_000
const PLAYERS = 6
const LONG = 2

/**
 * Viewers of HLS and of MPEG-TS play at both edges with dead tokens, and new ones come, while the store goes
 * wrong and is right again. It fails when one of them is cut or asked about, when newcomers wait for longer
 * than they may beside those of `alone`, when a user plays more often than it may after it, and when somebody
 * cannot change edges.
 */
export async function playThroughFault(t: TestContext, alone: LonelyEdge, fault: StateFault): Promise<void> {
  const edges = await startEdges(
    t,
    fault.stores,
    {
      SESSION_IDLE: `${IDLE / 1_000}s`,
      ...fault.settings,
    },
    fault.areAllBehind,
  )
  if (fault.isDownAtStart !== true) await edges.untilUsable()

  const players = [...Array(PLAYERS).keys()].map((n) => createPlayer(t, edges, n))
  const longs = [...Array(LONG).keys()].map((n) => {
    const target = `/long/one?token=${edges.tokens.issue(`long-${n}`)}`
    return startLongResponse(t, edges.edges[(n % 2) as 0 | 1].nginx, target, `long-${n}`)
  })
  for (const player of players) assert.equal(await player.open(), '200')
  for (const long of longs) assert.equal(await long.status(), 200)
  await delay(SPARE)
  const newcomers = createNewcomers(edges, alone)

  let isOver = false
  const playing = players.map(async (player) => {
    while (!isOver) {
      await player.goOn()
      await delay(500)
    }
  })
  const coming = newcomers.come(() => isOver)
  const twice = createLimitedUser(t, edges, 'twice')
  await fault.begin(edges)
  await delay(fault.lasts / 2)
  // While the gates cannot hear each other both let them in.
  const during = [await twice.open(0), await twice.open(1)]
  await delay(fault.lasts / 2)
  await fault.end(edges)
  const healed = performance.now()
  await edges.untilUsable(20_000)
  const back = performance.now() - healed
  const left = await untilOne(twice)
  const told = performance.now() - healed
  await delay(Math.max(0, REPORT + SPARE - told))
  isOver = true
  await Promise.all([...playing, coming])

  t.diagnostic(
    `usable ${Math.round(back)} ms after it, one of two ${Math.round(told)} ms after it; ${newcomers.describe()}`,
  )
  for (const player of players) assert.deepEqual(player.refused, [], 'a player of HLS was refused')
  for (const long of longs) assert.equal(long.isCut(), false, 'a stream was cut')
  assert.deepEqual(newcomers.refused, [])
  assert.ok(during.includes('200'))
  assert.equal(left, 1, 'one of two plays on')
  if (fault.isNoticed !== false) {
    const said = edges.edges.some(({ gate }) => gate.main.stdout().includes('"state unavailable"'))
    assert.ok(said, 'a gate says that its store is away')
  }
  judgeTimes(newcomers.shared(), newcomers.alone())

  // What was told is known at the other edge: those who play, and those whose one response has just ended.
  const questions = edges.tokens.repeated()
  for (const player of players) assert.equal(await player.askAtOther(), '200', 'HLS at the other edge')
  for (const [n, long] of longs.entries()) {
    long.close()
    const other = edges.edges[n % 2 === 0 ? 1 : 0].nginx
    const again = startLongResponse(t, other, long.target, `long-${n}`)
    assert.equal(await again.status(), 200, 'MPEG-TS at the other edge')
    again.close()
  }
  assert.equal(edges.tokens.repeated(), questions, 'no further question')

  const fresh = createLimitedUser(t, edges, 'fresh')
  await Promise.all([fresh.open(0), fresh.open(1)])
  assert.equal(await untilOne(fresh), 1, 'exactly one of two at once')
}

/**
 * They wait no longer than STATE_TIMEOUT and a little beyond what they cost at a gate without a store: half
 * of them, and nine of ten. Of fifty newcomers the slowest tell of the machine.
 */
function judgeTimes(shared: Times, alone: Times): void {
  const most = TIMEOUT + ALLOWANCE
  const what = `${describeTimes(shared)} against ${describeTimes(alone)} ms alone`
  assert.ok(shared.p50 <= alone.p50 + most, what)
  assert.ok(shared.p90 <= alone.p95 + most, what)
}

interface Player {
  readonly refused: string[]
  open(): Promise<string>
  goOn(): Promise<void>
  askAtOther(): Promise<string>
}

/** A player of HLS: its playlist has the dead token, its segments have none. */
function createPlayer(t: TestContext, { edges, tokens }: Edges, n: number): Player {
  const lines = edges.map(({ nginx }) => openRawLine(nginx.port, `127.0.3.${n + 1}`))
  t.after(() => {
    for (const line of lines) line.close()
  })
  const playlist = `/live/one/index.m3u8?token=${tokens.issue(`player-${n}`)}`
  const refused: string[] = []
  const ask = async (edge: number, target: string): Promise<string> =>
    (await lines[edge % 2]?.ask(requestFor(target, `player-${n}`))) ?? ''
  return {
    refused,
    open: () => ask(n, playlist),
    async goOn() {
      for (const target of n % 3 === 0 ? [playlist, '/live/one/1.ts'] : ['/live/one/1.ts']) {
        const status = await ask(n, target)
        if (status !== '200') refused.push(`${status} ${target} at ${new Date().toISOString()}`)
      }
    },
    askAtOther: () => ask(n + 1, '/live/one/1.ts'),
  }
}

interface LimitedUser {
  open(edge: 0 | 1): Promise<string>
  /** How many of those that were let in are served now. */
  served(): Promise<number>
}

/** May play once. At each edge another player of theirs. */
function createLimitedUser(t: TestContext, { edges, tokens }: Edges, user: string): LimitedUser {
  const lines = edges.map(({ nginx }, n) => openRawLine(nginx.port, `127.0.4.${n + 1}`))
  t.after(() => {
    for (const line of lines) line.close()
  })
  return {
    open: async (edge) => {
      const target = `/live/two/index.m3u8?token=${tokens.issue(user, 1)}`
      return (await lines[edge]?.ask(requestFor(target, `${user}-${edge}`))) ?? ''
    },
    async served() {
      const statuses = await Promise.all(
        lines.map((line, edge) => line.ask(requestFor('/live/two/1.ts', `${user}-${edge}`))),
      )
      return statuses.filter((status) => status === '200').length
    },
  }
}

/** How many are left, once it is one, or after a report and a little. */
async function untilOne(user: LimitedUser): Promise<number> {
  const deadline = performance.now() + REPORT + PATIENCE
  let served = await user.served()
  while (served !== 1 && performance.now() < deadline) {
    await delay(250)
    served = await user.served()
  }
  return served
}

export function requestFor(target: string, userAgent: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${userAgent}\r\n\r\n`
}
