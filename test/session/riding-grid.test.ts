import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Subrequest } from '../../src/subrequest.ts'
import type { Outcome } from '../../src/verdict.ts'
import {
  clientRequest,
  createPretendGate,
  deny,
  type PretendGate,
  type PretendGateOptions,
  settled,
  tokens,
  unavailable,
} from '../support/pretend-gate.ts'
import {
  CHANNELS,
  credentials,
  type Grid,
  judged,
  withoutPattern,
  withPattern,
} from '../support/riding-tables.ts'
import { rounds } from '../support/rounds.ts'
import { wordsOf } from '../support/words.ts'

/** In `npm test` all cells are tried a moment later, and one of so many in each other situation. */
const EACH = rounds(5, 1)

interface Situation {
  /** Whether the viewer that asks has the session. */
  readonly holds: boolean
  readonly options?: PretendGateOptions
  /** The viewer that asks, if it is not the opener. */
  readonly who?: (address: string) => Partial<Subrequest>
  /** What has happened between the opening and the request. */
  readonly before?: (gate: PretendGate, opener: Subrequest) => unknown
}

/** The opener's verdict has expired, and this is what the backend answered when it was asked again. */
async function recheck(gate: PretendGate, opener: Subrequest, answer: () => Outcome): Promise<void> {
  gate.answers(answer)
  gate.pass(60_000)
  gate.decideAtOnce(opener)
  await settled()
}

const situations: Readonly<Record<string, Situation>> = {
  'a moment later': { holds: true },
  'SESSION_IDLE later, to the millisecond': {
    holds: true,
    options: { lifetimes: { allow: 'session' } },
    before: (gate) => gate.pass(120_000),
  },
  'after a silence': { holds: false, before: (gate) => gate.pass(120_001) },
  'after the operator has closed it': {
    holds: false,
    before(gate, opener) {
      const session = gate.sessions.find(gate.identify(opener), gate.now())
      assert.ok(session)
      gate.sessions.end(session, 'closed')
    },
  },
  'after MAX_SESSIONS has pushed it out': {
    holds: false,
    options: { maxSessions: 1 },
    before: (gate) => gate.decide(clientRequest('/other/index.m3u8?token=X', { address: '192.0.2.77' })),
  },
  'after a re-check was denied, and DENY_TTL': {
    holds: false,
    async before(gate, opener) {
      await recheck(gate, opener, deny)
      gate.pass(5_001)
    },
  },
  'after STALE_TTL without a backend': {
    holds: false,
    options: { lifetimes: { stale: 10_000 } },
    async before(gate, opener) {
      await recheck(gate, opener, unavailable)
      gate.pass(10_000)
    },
  },
  'from another address': { holds: false, who: (address) => ({ address: `1${address}` }) },
  'from an address that begins alike': { holds: false, who: (address) => ({ address: `${address}0` }) },
  'with another User-Agent': { holds: false, who: () => ({ userAgent: 'VLC/3.0.2' }) },
  'with no User-Agent': { holds: false, who: () => ({ userAgent: '' }) },
  'with another playback id': { holds: false, who: () => ({ playbackId: '7D5F' }) },
  'from another origin': { holds: false, who: () => ({ origin: 'https://live.example.org' }) },
  'with the default port written': { holds: false, who: () => ({ origin: 'https://live.example.com:443' }) },
  'over http': { holds: false, who: () => ({ origin: 'http://live.example.com' }) },
}

async function seen(gate: PretendGate, request: Subrequest, id: string): Promise<string> {
  const before = gate.asked.length
  const { verdict, reason, sessionId } = await gate.decide(request)
  if (gate.asked.length > before) return verdict === 'allow' ? 'yes' : 'no'
  if (verdict === 'deny') return `denied: ${reason}`
  return sessionId !== id ? 'rides on another' : reason === 'riding' ? 'rides' : 'own'
}

/**
 * Calls `ask` for each place and credential, or for one of `EACH` from `offset` on, each with an address of
 * its own.
 */
async function walk(
  grid: Grid,
  offset: number | 'all',
  ask: (target: string, expected: string, column: number, address: string) => Promise<void>,
): Promise<void> {
  let at = 0
  for (const [line, [path, row]] of Object.entries(grid).entries()) {
    for (const [column, expected] of wordsOf(row).entries()) {
      if (offset !== 'all' && at++ % EACH !== offset % EACH) continue
      await ask(path + credentials[column], expected, column, `10.0.${line}.${column}`)
    }
  }
}

function tables(
  title: string,
  grids: Readonly<Record<string, Grid>>,
  channelPattern: RegExp | undefined,
): void {
  describe(title, () => {
    for (const [name, grid] of Object.entries(grids)) {
      const opener = `${name.split(': ')[1]}?token=X`
      for (const [n, [when, { holds, options, who, before }]] of Object.entries(situations).entries()) {
        test(`${name}, asked for ${when}`, async () => {
          const gate = createPretendGate({ ...options, channelPattern, maxDenials: 1000 })
          await walk(grid, n === 0 ? 'all' : n, async (target, expected, column, address) => {
            gate.answers(tokens('X'))
            const opening = clientRequest(opener, { address })
            const { verdict, sessionId } = await gate.decide(opening)
            assert.equal(verdict, 'allow')
            await before?.(gate, opening)
            gate.answers(tokens('X'))
            const found = await seen(gate, clientRequest(target, { address, ...who?.(address) }), sessionId)
            assert.equal(found, holds ? expected : judged[column], target)
          })
        })
      }

      test(`${name}, let in without a backend: what would ride is let in unasked`, async () => {
        const gate = createPretendGate({ defaultAction: 'allow', channelPattern, maxDenials: 1000 })
        gate.answers(unavailable)
        await walk(grid, 'all', async (target, expected, _column, address) => {
          const { sessionId } = await gate.decide(clientRequest(opener, { address }))
          const before = gate.asked.length
          const decision = await gate.decide(clientRequest(target, { address }))
          assert.deepEqual([decision.verdict, decision.source], ['allow', 'default'], target)
          const unasked = expected === 'rides' || expected === 'own'
          assert.equal(gate.asked.length - before, unasked ? 0 : 1, target)
          assert.equal(decision.sessionId === sessionId, unasked, target)
        })
      })
    }
  })
}

tables('every place with every credential, without CHANNEL_PATTERN', withoutPattern, undefined)
tables('every place with every credential, with CHANNEL_PATTERN', withPattern, CHANNELS)
