import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CookieMode, Subrequest } from '../../src/subrequest.ts'
import { type CookieQuestion, cookieRequest } from '../support/cookie-request.ts'
import {
  allow,
  createPretendGate,
  deny,
  type PretendGate,
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

/** Each so many cells are tried. It divides the length of no list below, so that each entry is met. */
const EACH = rounds(13, 1)

const modes: readonly CookieMode[] = ['off', 'on', 'strict']
const cookies = ['none', 'its own', 'of another viewer', 'of an ended session', 'of another site'] as const

/** One request after an opening, and all that may decide it. */
interface Cell {
  readonly opener: string
  readonly openedWith: CookieMode
  readonly askedWith: CookieMode
  readonly path: string
  readonly column: number
  /** What the opener's viewer would get without any cookies, if the opener has a credential. */
  readonly row: readonly string[]
  readonly openerHasCredential: boolean
  readonly cookie: (typeof cookies)[number]
  readonly isSameGroup: boolean
  readonly isSamePlayer: boolean
}

const isPlaylist = (path: string): boolean => path.endsWith('.m3u8') || path.endsWith('.mpd')

/** The rules of the cookie, as simply as possible. */
function expected(cell: Cell): { readonly word: string; readonly isGiven: boolean } {
  const { opener, openedWith, askedWith, path, column, row, openerHasCredential, cookie } = cell
  const byBackend = openerHasCredential || column > 0 ? judged[column] : 'yes'
  // An opener without a credential: the request without one is its own or rides, any other is asked about.
  const isRefusedByTable = row[0] === 'no'
  const withoutOne = row[1] === 'own' ? 'own' : 'rides'
  const byTable = openerHasCredential ? row[column] : column > 0 || isRefusedByTable ? byBackend : withoutOne

  const wasGiven = openedWith !== 'off' && isPlaylist(opener)
  // With off nobody gets a cookie, but who has one is known by it.
  const isHolder = wasGiven && cookie === 'its own'
  const isViewer = cell.isSameGroup && cell.isSamePlayer
  const isVeryUrl = byTable === 'own' && (column > 0 || path === opener)
  const answers = isHolder || (isViewer && (openedWith !== 'strict' || isVeryUrl))
  const word = (answers ? byTable : byBackend) ?? ''

  const joins = cookie === 'of another viewer' || (cookie === 'its own' && wasGiven)
  return { word, isGiven: word === 'yes' && askedWith !== 'off' && isPlaylist(path) && !joins }
}

function* cellsOf(opener: string, grid: Grid, openedWith: CookieMode, askedWith: CookieMode): Iterable<Cell> {
  for (const [path, text] of Object.entries(grid)) {
    const row = wordsOf(text)
    for (const column of credentials.keys())
      for (const openerHasCredential of [true, false]) {
        // Behind an opener without a credential all other credentials are alike.
        if (!openerHasCredential && (column > 1 || openedWith !== askedWith)) continue
        for (const cookie of cookies)
          for (const isSameGroup of [true, false])
            for (const isSamePlayer of [true, false])
              yield {
                ...{ opener, openedWith, askedWith, path, column, row, openerHasCredential, cookie },
                ...{ isSameGroup, isSamePlayer },
              }
      }
  }
}

/** Two addresses of one client, and as many other clients as wanted. */
const addressOf = (cell: number, group: number, host = 1): string =>
  `2001:db8:${cell.toString(16)}:${group}::${host}`

interface Opened {
  readonly request: Subrequest
  readonly sessionId: string
  readonly value: string | undefined
}

async function open(gate: PretendGate, uri: string, question: CookieQuestion): Promise<Opened> {
  const request = cookieRequest(uri, question)
  const { verdict, newCookie: value, sessionId } = await gate.decide(request)
  assert.equal(verdict, 'allow')
  return { request, value, sessionId }
}

/** What is worth nothing to anybody: cookies of sessions that open what the opener opens. */
async function openOthers(gate: PretendGate, opener: string) {
  const alike = `${opener.replace('film1.mp4', 'index.m3u8').replace('ch1-1.ts', 'ch1.m3u8')}?token=X`
  const address = addressOf(0, 1)
  const elsewhere = await open(gate, alike, { address, mode: 'on', origin: 'http://other.example.com' })
  const ended = await open(gate, alike, { address, mode: 'on' })
  endSession(gate, ended.request)
  return { 'of another site': elsewhere.value, 'of an ended session': ended.value }
}

/** Plays one cell among all viewers of the gate. */
async function seen(
  gate: PretendGate,
  cell: Cell,
  n: number,
  others: Awaited<ReturnType<typeof openOthers>>,
): Promise<{ word: string; isGiven: boolean }> {
  const { opener, openedWith, askedWith, openerHasCredential, cookie } = cell
  const target = openerHasCredential ? `${opener}?token=X` : opener
  gate.answers((asked) => (asked.query === '' && !openerHasCredential ? allow() : tokens('X')(asked)))
  const { value: own, sessionId } = await open(gate, target, { address: addressOf(n, 1), mode: openedWith })
  assert.equal(own !== undefined, openedWith !== 'off' && isPlaylist(opener))

  const neighbour: CookieQuestion = { address: addressOf(n, 3), mode: 'on' }
  const value = {
    ...{ none: undefined, 'its own': own ?? 'ThisIsNoValueOfAnybody', ...others },
    'of another viewer':
      cookie === 'of another viewer'
        ? (await open(gate, '/elsewhere/index.m3u8?token=X', neighbour)).value
        : undefined,
  }[cookie]
  assert.equal(value === undefined, cookie === 'none')

  const asked = cookieRequest(cell.path + credentials[cell.column], {
    address: cell.isSameGroup ? addressOf(n, 1, 2) : addressOf(n, 2),
    userAgent: cell.isSamePlayer ? 'test' : 'another player',
    ...{ mode: askedWith, value },
  })
  const before = gate.asked.length
  const decision = await gate.decide(asked)
  const isGiven = decision.newCookie !== undefined
  if (gate.asked.length > before) return { word: decision.verdict === 'allow' ? 'yes' : 'no', isGiven }
  const { verdict, reason } = decision
  if (verdict === 'deny') return { word: `denied: ${reason}`, isGiven }
  if (decision.sessionId !== sessionId) return { word: 'rides on another', isGiven }
  return { word: reason === 'riding' ? 'rides' : 'own', isGiven }
}

function endSession(gate: PretendGate, opener: Subrequest): void {
  const session = gate.sessions.find(gate.identify(opener), gate.now())
  assert.ok(session)
  gate.sessions.end(session, 'closed')
}

let cells = 0

for (const [title, grids, channelPattern] of [
  ['without CHANNEL_PATTERN', withoutPattern, undefined],
  ['with CHANNEL_PATTERN', withPattern, CHANNELS],
] as const)
  describe(`every place with every credential and every cookie from anywhere, ${title}`, () => {
    for (const [name, grid] of Object.entries(grids)) {
      const opener = name.split(': ')[1] ?? ''
      for (const openedWith of modes)
        for (const askedWith of modes)
          test(`${name}, opened with ${openedWith} and asked for with ${askedWith}`, async () => {
            const gate = createPretendGate({ channelPattern, maxDenials: 10_000 })
            const others = await openOthers(gate, opener)
            let n = 0
            for (const cell of cellsOf(opener, grid, openedWith, askedWith)) {
              if (++n % EACH !== 0) continue
              const found = await seen(gate, cell, n, others)
              const { word, isGiven } = expected(cell)
              if (found.word !== word || found.isGiven !== isGiven)
                assert.deepEqual(found, { word, isGiven }, JSON.stringify(cell))
            }
            cells += Math.floor(n / EACH)
          })

      for (const mode of ['on', 'strict'] as const)
        test(`${name}, let in without a backend with ${mode}: it is ridden by address, also after a promotion`, async () => {
          const gate = createPretendGate({ defaultAction: 'allow', channelPattern, maxDenials: 1_000 })
          const targets = Object.entries(grid).flatMap(([path, row]) =>
            wordsOf(row).map((word, column) => ({ target: path + credentials[column], word })),
          )
          for (const [n, { target, word }] of targets.entries())
            for (const isPromoted of [false, true]) {
              if ((2 * n + Number(isPromoted)) % EACH !== 0) continue
              const address = `10.${isPromoted ? 1 : 0}.${n >> 8}.${n & 255}`
              gate.answers(unavailable)
              const opening = cookieRequest(`${opener}?token=X`, { address, mode })
              const { sessionId, newCookie } = await gate.decide(opening)
              if (isPromoted) {
                gate.pass(2_000)
                gate.answers(() => allow())
                gate.decideAtOnce(opening)
                await settled()
                assert.equal([...gate.sessions.of(gate.identify(opening).viewer)][0]?.id, sessionId)
              }
              gate.answers(deny)
              const before = gate.asked.length
              const decision = await gate.decide(cookieRequest(target, { address, mode }))
              const isUnasked = word === 'rides' || word === 'own'
              assert.equal(gate.asked.length - before, isUnasked ? 0 : 1, target)
              assert.equal(decision.sessionId === sessionId, isUnasked, target)
              assert.deepEqual([newCookie, decision.newCookie], [undefined, undefined])
              cells++
            }
        })
    }

    test('these are all', (t) => t.diagnostic(`${cells} cells`))
  })
