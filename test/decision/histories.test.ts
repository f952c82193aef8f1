import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Session } from '../../src/session/session.ts'
import type { Subrequest } from '../../src/subrequest.ts'
import type { Decision, Outcome, Verdict } from '../../src/verdict.ts'
import { createChance } from '../support/create-chance.ts'
import {
  allow,
  clientRequest,
  createPretendGate,
  deny,
  settled,
  unavailable,
} from '../support/pretend-gate.ts'
import { rounds } from '../support/rounds.ts'

/** To run other histories, and more: HISTORIES=10000 npm test -- test/decision/histories.test.ts */
const { HISTORIES } = process.env
const RUNS =
  HISTORIES === undefined ? { numRuns: rounds(10, 100), seed: 20_261_125 } : { numRuns: Number(HISTORIES) }
/** Milliseconds; with a tenth of jitter. */
const LIFETIMES = { allow: 20_000, deny: 5_000, stale: 40_000, default: 2_000, resume: 60_000 }
const IDLE = 30_000
const DEADLINE = 2_000
const STALE_DENY = 60_000
/** After a crash the store may not know what a session was requested for in this time. */
const UNTOLD = IDLE / 4 + 250
const jittered = (duration: number): number => duration * 1.1
/**
 * The longest time for which an allow can count: its own time, the outage, a silence, and one more re-check.
 */
const LONGEST = 2 * jittered(LIFETIMES.allow) + LIFETIMES.stale + IDLE + DEADLINE
/**
 * A session that was kept alive by another one is asked about when that one ends: a silence and a question
 * later.
 */
const KEPT = LONGEST + IDLE + DEADLINE

/** A viewer plays: a segment each so many milliseconds. */
const EVERY = 9_000
const SEGMENT = '/a/1.ts'

const viewers = ['192.0.2.1', '192.0.2.2']
const paths = [
  '/a/index.m3u8',
  '/a/1.ts',
  '/a/hd/v.m3u8',
  '/a/hd/1.ts',
  '/b/index.m3u8',
  '/b/1.ts',
  '/film.mp4',
  '/index.m3u8',
]
const queries = ['', 'token=X', 'token=Y', 'token=X&_HLS_msn=1', 'token=X&token=Y', '_HLS_msn=2']

type Event =
  | { readonly kind: 'ask'; readonly viewer: number; readonly path: number; readonly query: number }
  | { readonly kind: 'answer' | 'close' | 'close all' | 'restart' | 'crash' }
  | { readonly kind: 'play'; readonly viewer: number; readonly segments: number }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'backend'; readonly is: 'up' | 'down' | 'silent about one viewer' }
  | { readonly kind: 'token'; readonly valid: readonly string[] }

const ask = fc.record({
  kind: fc.constant('ask' as const),
  viewer: fc.nat(viewers.length - 1),
  path: fc.nat(paths.length - 1),
  query: fc.nat(queries.length - 1),
})
const events: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: ask, weight: 12 },
  { arbitrary: fc.record({ kind: fc.constant('answer' as const) }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'close all' as const) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'crash' as const) }), weight: 2 },
  {
    arbitrary: fc.record({
      kind: fc.constant('play' as const),
      viewer: fc.nat(viewers.length - 1),
      segments: fc.integer({ min: 1, max: 15 }),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.constantFrom(1, 900, 1_900, 5_000, 9_000, 18_500, 22_500, 30_000, 45_000),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('backend' as const),
      is: fc.constantFrom('up' as const, 'up' as const, 'down' as const, 'silent about one viewer' as const),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('token' as const),
      valid: fc.constantFrom(['X'], ['X', 'Y'], ['Y'], []),
    }),
    weight: 2,
  },
)

/** The rules of design and documentation, written a second time, as simply as possible. */
const canonical = ({ query }: Subrequest): string =>
  query
    .split('&')
    .filter((piece) => !piece.startsWith('_HLS_'))
    .join('&')
const isPlaylist = ({ path }: Subrequest): boolean => path.endsWith('.m3u8')

interface Rules {
  keyOf(one: Subrequest): string
  /** Whether a session that `opener` opened answers `asked`. */
  opens(opener: Subrequest, asked: Subrequest): boolean
}

function createRules(
  directoryOf: (opener: Subrequest) => string | undefined,
  channelOf: (path: string) => string,
): Rules {
  const placeOf = ({ path }: Subrequest): string => channelOf(path) || path
  const keyOf = (one: Subrequest): string => [one.address, placeOf(one), canonical(one)].join(' ')
  return {
    keyOf,
    opens(opener, asked) {
      if (opener.address !== asked.address) return false
      if (keyOf(opener) === keyOf(asked)) return true
      const directory = isPlaylist(opener) ? directoryOf(opener) : undefined
      const isBelow =
        channelOf(opener.path) === '' &&
        channelOf(asked.path) === '' &&
        directory !== undefined &&
        (directory === '/' ? asked.path.lastIndexOf('/') === 0 : asked.path.startsWith(directory))
      if (placeOf(opener) !== placeOf(asked) && !isBelow) return false
      if (!asked.query.includes('token=')) return true
      return !isPlaylist(asked) && canonical(opener) === canonical(asked)
    },
  }
}

const parentOf = ({ path }: Subrequest): string => path.slice(0, path.lastIndexOf('/') + 1)
const withoutPattern = createRules(parentOf, () => '')
/** With `^/a/([^/]+)/`: playlists in `/a/` and in `/` belong to no channel, and may be invented. */
const withPattern = createRules(
  (opener) => (parentOf(opener) === '/b/' ? '/b/' : undefined),
  (path) => (path.startsWith('/a/hd/') ? 'channel hd' : ''),
)

/** Whether a ride on one session may keep the other from going silent. */
function overlap({ opens }: Rules, a: Subrequest, b: Subrequest): boolean {
  return paths.some((path) =>
    queries.some((query) => {
      const asked = { ...a, path, query }
      return opens(a, asked) && opens(b, asked)
    }),
  )
}

interface Known {
  readonly opener: Subrequest
  allowedAt: number
  /** When a request came last that it could answer, while it lived. */
  activeAt: number
  /** What came last of it: an outcome, or the operator. */
  last: Outcome['kind'] | 'closed'
  /** A question about it got no answer once. Then other rules say how long it lives. */
  failed: boolean
  /** The store knows it. */
  written: boolean
  /** Its process has died, perhaps before the store knew it. */
  lost: boolean
}

/**
 * Plays one history, and compares each decision with all that the backend and the operator have said until
 * then.
 */
async function play(
  history: readonly Event[],
  defaultAction: Verdict,
  channelPattern: RegExp | undefined,
  store: boolean,
): Promise<number> {
  const rules = channelPattern === undefined ? withoutPattern : withPattern
  const { keyOf, opens } = rules
  const gate = createPretendGate({
    defaultAction,
    channelPattern,
    lifetimes: LIFETIMES,
    idle: IDLE,
    random: createChance(7),
    store,
  })
  /** Processes so far. What one has not decided when it dies, nobody hears of. */
  let process = 1
  const sessions = new Map<string, Known>()
  const outcomes = new Map<string, { readonly kind: Outcome['kind']; readonly at: number }[]>()
  const waiting: (() => void)[] = []
  let backend: (Event & { kind: 'backend' })['is'] = 'up'
  let valid: readonly string[] = ['X']
  let failedAt = Number.NEGATIVE_INFINITY
  let closedAt = Number.NEGATIVE_INFINITY
  const decisions: Promise<void>[] = []

  const answerTo = ({ address, query }: Subrequest): Outcome => {
    if (backend === 'down' || (backend !== 'up' && address === viewers[0])) return unavailable()
    return valid.includes(new URLSearchParams(query).getAll('token').at(-1) ?? '') ? allow() : deny()
  }
  gate.answers((asked) => {
    const id = gate.asked.at(-1)?.sessionId ?? ''
    const askedIn = process
    return new Promise((resolve) =>
      waiting.push(() => {
        if (askedIn !== process) return resolve(unavailable())
        const outcome = answerTo(asked)
        const at = gate.now()
        const known = sessions.get(id) ?? {
          opener: asked,
          allowedAt: Number.NEGATIVE_INFINITY,
          activeAt: at,
          last: 'deny',
          failed: false,
          written: false,
          // What was opened in the millisecond of a closing is asked about again after a restart.
          lost: at === closedAt,
        }
        if (known.last !== 'closed') known.last = outcome.kind
        if (outcome.kind === 'unavailable') {
          known.failed = true
          failedAt = at
        }
        if (outcome.kind === 'allow') known.allowedAt = at
        sessions.set(id, known)
        outcomes.set(keyOf(asked), [...(outcomes.get(keyOf(asked)) ?? []), { kind: outcome.kind, at }])
        resolve(outcome)
      }),
    )
  })

  const check = (asked: Subrequest, decision: Decision): void => {
    const now = gate.now()
    const told = `${keyOf(asked)} at ${now}: ${JSON.stringify(decision)}`
    if (decision.verdict === 'allow') {
      // A failed question about a silent session stands for the one about the request.
      if (decision.source === 'default' && failedAt === now && !sessions.has(decision.sessionId)) {
        sessions.set(decision.sessionId, {
          ...{ opener: asked, allowedAt: Number.NEGATIVE_INFINITY, activeAt: now },
          ...{ last: 'unavailable', failed: true, written: false, lost: false },
        })
      }
      const known = sessions.get(decision.sessionId)
      assert.ok(known !== undefined && opens(known.opener, asked), `nothing opens ${told}`)
      assert.ok(known.last === 'allow' || known.last === 'unavailable', `${known.last}: ${told}`)
      if (decision.source === 'default') assert.equal(defaultAction, 'allow', told)
      else {
        const isKept = [...sessions.values()].some(
          (other) =>
            other !== known && overlap(rules, other.opener, known.opener) && now - other.allowedAt <= KEPT,
        )
        const age = now - known.allowedAt
        assert.ok(age <= LONGEST || isKept, `allowed ${age} ms ago: ${told}`)
      }
      return
    }
    const said = outcomes.get(keyOf(asked)) ?? []
    const denied = said.findLast(({ kind }) => kind !== 'unavailable')
    const failed = said.findLast(({ kind }) => kind === 'unavailable')
    if (decision.source === 'default') {
      assert.equal(defaultAction, 'deny', told)
      // A failed question about a silent session stands for the one about the request.
      const at = Math.max(failed?.at ?? Number.NEGATIVE_INFINITY, store ? failedAt : Number.NEGATIVE_INFINITY)
      assert.ok(now - at <= LIFETIMES.default, `answered: ${told}`)
      return
    }
    // After a slow deny of a silent session there is no time to ask about the request itself.
    const isLate = [...sessions.values()].some(
      ({ opener, last }) =>
        last === 'deny' && opens(opener, asked) && outcomes.get(keyOf(opener))?.at(-1)?.at === now,
    )
    if (store && decision.source === 'backend' && isLate) return
    assert.equal(denied?.kind, 'deny', `never denied: ${told}`)
    const stale = decision.source === 'stale' ? STALE_DENY + LIFETIMES.default : 0
    assert.ok(now - (denied?.at ?? 0) <= jittered(LIFETIMES.deny) + stale, `denied long ago: ${told}`)
  }

  /** A request refreshes every allowed session that could answer it. Any of them is a reason to let it in. */
  const refresh = (asked: Subrequest): Known | undefined => {
    const now = gate.now()
    const living = [...sessions.values()].filter(
      (one) =>
        one.last === 'allow' &&
        !(one.failed || one.lost) &&
        now - one.activeAt <= IDLE &&
        opens(one.opener, asked),
    )
    for (const one of living) one.activeAt = now
    return living[0]
  }

  const decide = (viewer: number, target: string): void => {
    const asked = clientRequest(target, { address: viewers[viewer] ?? '' })
    const living = refresh(asked)
    const askedIn = process
    const decided = gate.decide(asked).then((decision) => {
      if (askedIn !== process) return
      if (living !== undefined)
        assert.equal(decision.verdict, 'allow', `cut: ${keyOf(asked)} at ${gate.now()}`)
      check(asked, decision)
    })
    decisions.push(decided)
    // It is awaited at the end of the history.
    decided.catch(() => {})
  }
  const end = (session: Session): void => {
    void gate.stored.remove(session, { why: 'closed' })
    const table = session.provisional ? gate.provisional : gate.sessions
    table.end(session, 'closed')
    const known = sessions.get(session.id)
    if (known !== undefined) known.last = 'closed'
  }
  const pass = (milliseconds: number): void => {
    gate.pass(milliseconds)
    if (milliseconds >= 100) for (const known of sessions.values()) known.written = true
  }
  const answerAll = async (): Promise<void> => {
    await settled()
    for (let left = waiting.splice(0); left.length > 0; left = waiting.splice(0)) {
      for (const answer of left) answer()
      await settled()
    }
  }

  for (const event of history) {
    switch (event.kind) {
      case 'ask':
        decide(event.viewer, [paths[event.path], queries[event.query]].filter(Boolean).join('?'))
        break
      case 'play':
        for (let segment = 0; segment < event.segments; segment++) {
          decide(event.viewer, SEGMENT)
          await answerAll()
          pass(EVERY)
        }
        break
      case 'answer':
        waiting.shift()?.()
        break
      case 'close': {
        const [session] = gate.sessions.all()
        if (session !== undefined) end(session)
        break
      }
      case 'close all':
        if (!store) break
        // As the operator's side does it: those of the table, and a mark for those that only the store knows.
        void gate.stored.mark({})
        closedAt = gate.now()
        for (const session of [...gate.sessions.all(), ...gate.provisional.all()]) end(session)
        for (const known of sessions.values()) if (known.last !== 'deny') known.last = 'closed'
        break
      case 'restart':
        if (!store) break
        await answerAll()
        await gate.restart()
        process++
        break
      case 'crash':
        if (!store) break
        await gate.crash()
        process++
        for (const known of sessions.values()) {
          known.activeAt -= UNTOLD
          if (!known.written) known.lost = true
        }
        break
      case 'pass':
        // Every question has a deadline.
        if (event.milliseconds >= DEADLINE) await answerAll()
        pass(event.milliseconds)
        break
      case 'backend':
        backend = event.is
        break
      case 'token':
        valid = event.valid
    }
    await settled()
  }
  await answerAll()
  await Promise.all(decisions)
  return decisions.length
}

describe('in any history', () => {
  for (const [defaultAction, channelPattern, store] of [
    ['deny', undefined, false],
    ['allow', undefined, true],
    ['deny', /^\/a\/([^/]+)\//, true],
    ['allow', /^\/a\/([^/]+)\//, false],
  ] as const) {
    const where = channelPattern === undefined ? '' : ', with CHANNEL_PATTERN'
    const across = store ? ', across restarts and crashes' : ''
    test(`each verdict is what the backend, the operator or the default action ${defaultAction} has said, and nobody is cut${where}${across}`, async (t) => {
      let decided = 0
      const property = fc.asyncProperty(
        fc.array(events, { minLength: 40, maxLength: 120 }),
        async (history) => {
          decided += await play(history, defaultAction, channelPattern, store)
        },
      )
      await fc.assert(property, RUNS)
      t.diagnostic(`${decided} decisions`)
      assert.ok(decided > 20 * RUNS.numRuns)
    })
  }
})
