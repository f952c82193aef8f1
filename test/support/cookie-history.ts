import assert from 'node:assert/strict'
import type { Subrequest } from '../../src/subrequest.ts'
import type { Decision, Outcome, Verdict } from '../../src/verdict.ts'
import { AWAY, type CookieEvent, people, SITES } from './cookie-events.ts'
import {
  type Asked,
  holds,
  isOwnUrl,
  isPlaylist,
  isSameViewer,
  joins,
  type ModelSession,
  mayAnswer,
} from './cookie-model.ts'
import { cookieRequest } from './cookie-request.ts'
import { createChance } from './create-chance.ts'
import { allow, createPretendGate, deny, settled, unavailable } from './pretend-gate.ts'

const IDLE = 30_000
const LIFETIMES = { allow: 20_000, deny: 5_000, stale: 86_400_000, default: 2_000 }

/** How often what was seen. */
export type Shown = Record<
  'allowed' | 'given' | 'joined' | 'held' | 'veryUrl' | 'kept out' | 'provisional',
  number
>

/** Plays a history, and compares each decision with the model. */
export async function playCookieHistory(
  history: readonly CookieEvent[],
  byDefault: Verdict,
  shown: Shown,
): Promise<void> {
  const random = createChance(7)
  const gate = createPretendGate({ defaultAction: byDefault, lifetimes: LIFETIMES, idle: IDLE, random })
  const sessions = new Map<string, ModelSession>()
  /** What was said to the question about a request of a person. */
  const said = new Map<Subrequest, { outcome: Outcome; id: string; user: string; joins: boolean }>()
  const asking = new Map<Subrequest, Asked>()
  const given = new Set<string>()
  const jars = people.map(() => new Map<string, string>())
  const waiting: (() => void)[] = []
  const decisions: Promise<void>[] = []
  let valid: readonly string[] = ['X', 'Y']
  let isUp = true
  let isHeld = false
  let told = 0

  /** Nobody's session ends but by idling, or because somebody has ended it. */
  const hearEnds = (): void => {
    for (; told < gate.events.length; told++) {
      const [what, id = '', , why] = (gate.events[told] ?? '').split(' ')
      const session = sessions.get(id)
      if (what !== 'ended' || session === undefined) continue
      session.hasEnded = true
      if (why === 'idle') assert.ok(gate.now() - session.heldAt > IDLE, `${id} was held, and ended`)
      else assert.ok(session.isRevoked, `${id} ended: ${why}`)
    }
  }

  const open = (id: string, opener: Asked, more: Partial<ModelSession>): ModelSession => {
    const nothing = { user: '', isStrict: false, values: [], isRevoked: false, hasEnded: false }
    const session: ModelSession = { id, opener, heldAt: gate.now(), ...nothing, ...more }
    sessions.set(id, session)
    return session
  }

  gate.answers((subrequest) => {
    const { sessionId: id = '', occasion } = gate.asked.at(-1) ?? {}
    const judge = (): Outcome => {
      hearEnds()
      const user = /token=(.)/.exec(subrequest.query)?.[1] ?? ''
      const outcome = isUp ? (valid.includes(user) ? allow() : deny()) : unavailable()
      if (outcome.kind === 'allow') Object.assign(outcome.grant, { userId: user })
      const session = sessions.get(id)
      if (occasion === 're-check' && session !== undefined && outcome.kind === 'deny')
        session.isRevoked = true
      const asked = asking.get(subrequest)
      if (asked !== undefined)
        said.set(subrequest, { outcome, id, user, joins: joins(sessions.values(), asked, user) })
      return outcome
    }
    return isHeld ? new Promise((resolve) => waiting.push(() => resolve(judge()))) : judge()
  })

  const check = (
    subrequest: Subrequest,
    asked: Asked,
    decision: Decision,
    neighbours: ModelSession[],
  ): void => {
    const text = JSON.stringify({ asked, decision, at: gate.now() })
    const { sessionId: id, verdict, newCookie } = decision
    const answer = said.get(subrequest)
    const isOpened = answer?.outcome.kind === 'allow'
    const isNew = isOpened && asked.mode !== 'off' && isPlaylist(asked) && !answer.joins
    assert.equal(newCookie !== undefined, isNew, `a cookie: ${text}`)
    if (newCookie !== undefined) {
      assert.match(newCookie, /^[\w-]{22}$/)
      assert.ok(!given.has(newCookie), `given twice: ${text}`)
      given.add(newCookie)
      shown.given++
    }
    if (isOpened) {
      assert.deepEqual([verdict, id], ['allow', answer.id], text)
      const joined = asked.mode !== 'off' && isPlaylist(asked) && answer.joins ? asked.value : undefined
      if (joined !== undefined) shown.joined++
      const value = newCookie ?? joined
      const values = [...(sessions.get(id)?.values ?? []), ...(value === undefined ? [] : [value])]
      open(id, asked, { user: answer.user, isStrict: asked.mode === 'strict', values })
      return
    }
    if (verdict === 'deny') {
      if (neighbours.length > 0) shown['kept out']++
      return
    }
    if (answer?.outcome.kind === 'unavailable' && id === answer.id && decision.source === 'default') {
      assert.equal(byDefault, 'allow', text)
      open(id, asked, {})
      shown.provisional++
      return
    }
    const session = sessions.get(id)
    assert.ok(session !== undefined && mayAnswer(session, asked), `nothing lets in: ${text}`)
    assert.ok(!session.hasEnded, `it has ended: ${text}`)
    shown.allowed++
    if (holds(session, asked) && !isSameViewer(session, asked)) shown.held++
    if (session.isStrict && !holds(session, asked) && isOwnUrl(session, asked)) shown.veryUrl++
  }

  const decide = (one: CookieEvent & { kind: 'ask' }): void => {
    const { person, path, query, mode } = one
    const who = people[person]
    assert.ok(who)
    const site = SITES[one.site] ?? ''
    const { address, userAgent } = one.isAway ? AWAY : who
    const jar = jars[person] ?? new Map<string, string>()
    const value = { nothing: undefined, own: jar.get(site), any: [...given][one.which % (given.size || 1)] }[
      one.sends
    ]
    const asked: Asked = { site, address, userAgent, path, query, mode, value }
    const target = [path, query].filter(Boolean).join('?')
    const subrequest = cookieRequest(target, { address, userAgent, origin: site, mode, value })
    asking.set(subrequest, asked)
    const living = [...sessions.values()].filter((session) => !session.hasEnded)
    const held = living.filter((session) => holds(session, asked) && mayAnswer(session, asked))
    const isLetIn = held.some(({ heldAt }) => gate.now() - heldAt <= IDLE)
    for (const session of held) session.heldAt = gate.now()
    // These would let it in without `strict`.
    const neighbours = living.filter(
      (session) =>
        !mayAnswer(session, asked) && session.isStrict && mayAnswer({ ...session, isStrict: false }, asked),
    )
    const use = (decision: Decision): void => {
      check(subrequest, asked, decision, neighbours)
      if (decision.newCookie !== undefined && who.hasJar) jar.set(site, decision.newCookie)
    }
    if (isLetIn) {
      use(gate.decideAtOnce(subrequest))
      assert.equal(said.has(subrequest), false)
      return
    }
    const decided = gate.decide(subrequest).then(use)
    decisions.push(decided)
    // It is awaited at the end of the history.
    decided.catch(() => {})
  }

  const answerAll = async (): Promise<void> => {
    isHeld = false
    for (const answer of waiting.splice(0)) answer()
    await settled()
  }

  const playOn = async ({ person, channel, mode }: CookieEvent & { kind: 'play' }): Promise<void> => {
    const usual = { kind: 'ask', person, mode, sends: 'own', which: 0, site: 0, query: '' } as const
    decide({ ...usual, path: `/${channel}/index.m3u8`, query: 'token=X', isAway: false })
    for (const isAway of [false, true, true]) {
      await settled()
      hearEnds()
      decide({ ...usual, path: `/${channel}/1.ts`, isAway })
    }
  }

  const step = async (one: CookieEvent): Promise<void> => {
    switch (one.kind) {
      case 'ask':
        return decide(one)
      case 'play':
        return playOn(one)
      case 'hold':
        isHeld = true
        return
      case 'answer':
        return waiting.shift()?.()
      case 'answer all':
        return answerAll()
      case 'up':
      case 'down':
        isUp = one.kind === 'up'
        return
      case 'tokens':
        valid = one.valid
        return
      case 'close': {
        const all = [...gate.sessions.all()]
        const session = all[one.which % (all.length || 1)]
        const known = session && sessions.get(session.id)
        if (session === undefined || known === undefined) return
        known.isRevoked = true
        gate.sessions.end(session, 'closed')
        return
      }
      case 'pass':
        await answerAll()
        gate.pass(one.milliseconds)
        gate.sessions.sweep(gate.now())
    }
  }

  for (const one of history) {
    await step(one)
    await settled()
    hearEnds()
  }
  await answerAll()
  await Promise.all(decisions)
  const kept = [...gate.sessions.all()].map(({ secret, id, viewer }) => ({ secret, id, viewer }))
  const observed = JSON.stringify([gate.made, gate.asked, gate.events, kept])
  for (const value of given) assert.ok(!observed.includes(value), 'a value is observed')
}
