import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Policy } from '../../src/limit/terms.ts'
import type { LimitedSession } from '../../src/limit/user.ts'
import { createPretendUser, type LimitRules, session } from './pretend-user.ts'

/** One step: time passes, then one player of the user does something. */
export interface Step {
  readonly wait: number
  readonly device: number
  readonly act: (typeof acts)[number]
  readonly place: number
  /** Whether the URL has a constant token or a new one. */
  readonly constant: boolean
}

/** The first one is what a failing history is reduced to. */
const acts = [
  'nothing',
  ...['zap', 'zap', 'zap', 'zap', 'beside', 'beside', 'off', 'move', 'back', 'back'],
  ...['retry', 'retry', 'tokenless', 'closed', 'forget'],
] as const
const WAITS = [50, 500, 2_000, 5_000, 15_000]
const PLACES = ['news', 'sports', 'film', '/live/', '/live/video/', '/live/audio/']
const DEVICES = ['tv@home', 'phone@home', 'box@home', 'tv@away', 'phone@mobile']

const steps: fc.Arbitrary<Step> = fc.record({
  wait: fc.constantFrom(...WAITS),
  device: fc.nat(DEVICES.length - 1),
  act: fc.constantFrom(...acts),
  place: fc.nat(PLACES.length - 1),
  constant: fc.boolean(),
})

export interface History {
  readonly max: number
  readonly policy: Policy
  /** Only so many of the devices take part. */
  readonly devices: number
  readonly steps: readonly Step[]
}

/** Histories of about 120 steps under these terms. */
export function historiesOf(max: number, policy: Policy): fc.Arbitrary<History> {
  return fc.record({
    max: fc.constant(max),
    policy: fc.constant(policy),
    devices: fc.integer({ min: 2, max: DEVICES.length }),
    steps: fc.array(steps, { minLength: 110, maxLength: 130 }),
  })
}

/** A history for people: what is done when, without the steps that do nothing. */
export function tellHistory({ max, policy, devices, steps }: History): string {
  let time = 0
  const lines = steps.flatMap(({ wait, device, act, place, constant }) => {
    time += wait
    const who = DEVICES[device % devices]
    return act === 'nothing'
      ? []
      : [`${time} ms: ${who} ${act} ${PLACES[place]}${constant ? ' constant' : ''}`]
  })
  return [`N=${max}, ${policy}`, ...lines, `${time} ms: end`].join('\n')
}

/** What histories have shown, to see that they show enough. */
export interface Shown {
  steps: number
  openings: number
  /** Openings on another channel under `newest`, and how many of them were held. */
  zaps: number
  heldZaps: number
  /** Zaps where there is a free place, as the viewer plays at no other. */
  roomyZaps: number
  /** Of these, the ones of viewers who have only zapped, and not often. */
  calmZaps: number
  /** Openings of displaced URLs where there is no room. */
  outs: number
  full: number
  displaced: number
  /** Moments at which the number was full. */
  fullMoments: number
  looks: number
}

export function nothingShown(): Shown {
  return {
    steps: 0,
    openings: 0,
    zaps: 0,
    heldZaps: 0,
    roomyZaps: 0,
    calmZaps: 0,
    outs: 0,
    full: 0,
    displaced: 0,
    fullMoments: 0,
    looks: 0,
  }
}

const contain = (a: string, b: string): boolean =>
  a === b || (a.startsWith('/') && (a.startsWith(b) || b.startsWith(a)))

/** Places that contain one another are one, and children of one master may be. */
const rootOf = (place: string): string => (place.startsWith('/live/') ? '/live/' : place)

/**
 * Plays one history, and compares what the rules say with what the players really do. What a player does is
 * known here by itself; nothing is read from the state of the rules but its size.
 */
export function playHistory(
  { max, policy, devices, steps }: History,
  shown: Shown,
  rules?: LimitRules,
): void {
  const user = createPretendUser({ max, policy, ...(rules && { rules }), onLooked: () => checkLooked() })
  const { times } = user
  /** Longest time for which a play beside another may go on: GRACE, a report, a request of its player. */
  const BESIDE = times.grace + times.report + 2_000
  /** Until when a URL, or a player at a place, may be refused. */
  const held = new Map<string, number>()
  const urlOf = (one: { player: string; credential: string }): string => `${one.player} ${one.credential}`
  const seatOf = (one: { player: string; address: string; place: string }): string =>
    `${one.player} ${one.address} ${rootOf(one.place)}`
  /** URLs that another viewer has displaced, until when they must be refused while there is no room. */
  const out = new Map<string, { readonly session: LimitedSession; readonly until: number }>()
  const placedUrlOf = (one: LimitedSession): string => `${urlOf(one)} ${one.place}`
  const ended = new Map<string, LimitedSession>()
  let told = 0
  let opened = 0

  const playOf = (one: { viewer: string; place: string }): string => `${one.viewer} ${rootOf(one.place)}`
  const requested = (within: number) => user.sessions().filter(({ seen }) => user.now() - seen < within)

  /** How many plays these may be at most: children of one master are one only while that is open. */
  const most = (sessions: ReturnType<typeof requested>): number =>
    new Set(sessions.map(({ session }) => `${session.viewer} ${session.place}`)).size

  function checkLooked(): void {
    shown.looks++
    const counted = user.counted()
    assert.ok(counted <= max, `${counted} plays count after a look`)
    // What has really been going on for a minute.
    const since = new Map<string, number>()
    for (const { session, playingSince } of user.sessions()) {
      if (playingSince === undefined || user.now() - playingSince < 60_000) continue
      since.set(playOf(session), playingSince)
    }
    assert.ok(since.size <= max, `${[...since.keys()].join(', ')} have played for a minute`)
    noteDisplaced()
  }

  function noteDisplaced(): void {
    for (const one of user.displaced.slice(told)) {
      const gone = ended.get(one.id)
      assert.ok(gone !== undefined, `${one.id} was displaced twice, or never opened`)
      ended.delete(one.id)
      hold(gone, user.now() + times.hold, user.now() + times.comeBack)
      const hasPlayed = user.now() - one.seen < times.quiet && gone.credential !== ''
      if (one.cause === 'other' && !one.left && hasPlayed)
        out.set(placedUrlOf(gone), { session: gone, until: user.now() + times.hold })
      else out.delete(placedUrlOf(gone))
    }
    shown.displaced += user.displaced.length - told
    told = user.displaced.length
  }

  const hold = (one: LimitedSession, url: number, seat: number): void => {
    held.set(urlOf(one), Math.max(url, held.get(urlOf(one)) ?? 0))
    held.set(seatOf(one), Math.max(seat, held.get(seatOf(one)) ?? 0))
  }

  const open = (viewer: string, place: string, credential: string, tokenless = false): void => {
    const one = session(viewer, place, { id: `s${opened++}`, credential })
    const others = requested(times.quiet).filter(
      ({ session }) => session.viewer !== viewer || !contain(session.place, place),
    )
    const other = policy === 'refuse' ? others.filter(({ session }) => session.viewer !== viewer) : others
    const isFree = most(others) < max
    const isFreeOfOthers = most(other) < max
    const isHeld = [urlOf(one), seatOf(one)].some((key) => (held.get(key) ?? 0) > user.now())
    const all = user.sessions()
    const playing = all.filter(
      ({ session, playingSince }) => session.viewer !== viewer && playingSince !== undefined,
    )
    const isFull = new Set(playing.map(({ session }) => session.viewer)).size >= max
    const isHere = all.some(({ session }) => session.viewer === viewer && contain(session.place, place))
    const isMoving = all.some(({ session }) => session.viewer !== viewer && urlOf(session) === urlOf(one))
    const wasOut = out.get(placedUrlOf(one))
    const isOut = wasOut !== undefined && wasOut.until > user.now()
    ended.set(one.id, one)
    const { refused } = user.open(one, tokenless ? { tokenless } : {})
    shown.openings++
    noteDisplaced()
    const counted = user.counted()
    if (refused === undefined) assert.ok(counted <= max, `${counted} plays count`)
    else ended.delete(one.id)
    if (counted === max) shown.fullMoments++
    if (tokenless) return
    const asked = `${viewer} at ${place}, ${refused}`
    if (policy === 'newest') {
      shown.zaps++
      assert.ok(refused === undefined || refused === 'held', asked)
      if (refused === 'held') {
        assert.ok(isHeld, `${asked}: it was not just displaced`)
        shown.heldZaps++
      }
    }
    if (refused === 'full') shown.full++
    if (refused !== undefined)
      assert.ok(!(refused === 'held' ? isFree : isFreeOfOthers), `${asked}: there is room`)
    if (isFull && !isHere && isOut) {
      shown.outs++
      assert.equal(refused, 'held', `${asked}: it is out`)
    }
    if (isFull && !isHere && !isMoving && policy === 'refuse')
      assert.ok(refused !== undefined, `${asked}: it is full`)
    if (isOut && refused === 'held')
      out.set(placedUrlOf(one), { session: wasOut.session, until: user.now() + times.hold })
    // Who comes elsewhere is held no more.
    if (refused === undefined)
      for (const [key, { session }] of out)
        if (key === placedUrlOf(one) || (session.player === one.player && session.address === one.address))
          out.delete(key)
    if (refused === 'held') hold(one, user.now() + times.hold, user.now() + times.comeBack)
  }

  const stopAll = (viewer: string): void => {
    for (const { session } of user.sessions()) if (session.viewer === viewer) user.stop(session.id)
  }
  /** What each viewer did last. */
  const doings: { readonly viewer: string; readonly act: Step['act']; readonly at: number }[] = []
  /** When each viewer played at two places at once for the last time. */
  const besides = new Map<string, number>()
  /** The latest URL of each viewer, to try it again. */
  const urls = new Map<string, { place: string; credential: string }>()

  for (const step of steps) {
    shown.steps++
    user.pass(step.wait)
    noteDisplaced()
    const viewer = DEVICES[step.device % devices] ?? ''
    const [player = ''] = viewer.split('@')
    const place = PLACES[step.place] ?? ''
    const credential = step.constant ? `constant ${viewer} ${place}` : `token ${opened}`
    const own = user.sessions().filter(({ session }) => session.viewer === viewer)
    const isCalm = (who: string): boolean => {
      const recent = doings.filter((one) => one.viewer === who && user.now() - one.at < 150_000)
      return recent.length <= 3 && recent.every(({ act }) => act === 'zap' || act === 'off')
    }
    if (step.act !== 'nothing') doings.push({ viewer, act: step.act, at: user.now() })
    const openThere = (at: string, url: string, tokenless = false): void => {
      urls.set(viewer, { place: at, credential: url })
      open(viewer, at, url, tokenless)
    }
    switch (step.act) {
      case 'zap': {
        stopAll(viewer)
        const others = user.sessions().filter(({ session }) => session.viewer !== viewer)
        const hasRoom = most(others) < max && user.now() - (besides.get(viewer) ?? 0) > 60_000
        const before = user.displaced.length
        openThere(place, credential)
        const cut = user.displaced
          .slice(before)
          .filter(({ id }) => others.some(({ session }) => session.id === id && session.credential !== ''))
        if (hasRoom) shown.roomyZaps++
        if (hasRoom) assert.deepEqual(cut, [], `${viewer} zaps, and others are cut`)
        // What its viewer only left is not displaced either: they may zap back.
        if (hasRoom && isCalm(viewer)) {
          shown.calmZaps++
          assert.equal(user.displaced.length, before, `${viewer} zaps, and a session is displaced`)
        }
        break
      }
      case 'beside':
        besides.set(viewer, user.now())
        openThere(place, credential)
        break
      case 'off':
        stopAll(viewer)
        break
      case 'move': {
        const from = own.find(({ playingSince }) => playingSince !== undefined)?.session
        if (from === undefined) break
        stopAll(viewer)
        const to = from.address === 'mobile' ? `${player}@home` : `${player}@mobile`
        urls.set(to, from)
        doings.push({ viewer: to, act: 'move', at: user.now() })
        besides.set(to, user.now())
        open(to, from.place, from.credential)
        break
      }
      case 'back': {
        const old = own[step.place % Math.max(1, own.length)]
        stopAll(viewer)
        if (old !== undefined) user.resume(old.session.id)
        break
      }
      case 'retry': {
        besides.set(viewer, user.now())
        const last = urls.get(viewer)
        if (last !== undefined) openThere(last.place, step.constant ? last.credential : credential)
        break
      }
      case 'tokenless':
        besides.set(viewer, user.now())
        open(viewer, place, '', true)
        break
      case 'closed': {
        const one = own[step.place % Math.max(1, own.length)]
        if (one !== undefined) user.leave(one.session.id, 'closed')
        break
      }
      case 'forget':
        if (step.place !== 0) break
        user.forget()
        out.clear()
        break
      case 'nothing':
    }
    const { entries, marks, holds } = user.user()
    assert.ok(entries.length + marks.length + holds.length <= 400)
  }

  // All go on: after GRACE and one report no more than the number play.
  user.pass(BESIDE)
  const playing = user.sessions().filter(({ playingSince }) => playingSince !== undefined)
  const plays = new Set(playing.map(({ session }) => playOf(session)))
  assert.ok(plays.size <= max, `${[...plays].join(', ')} go on`)

  for (const { session } of user.sessions()) user.stop(session.id)
  user.pass(2 * times.idle + times.mark)
  assert.deepEqual(user.ids(), [])
  assert.ok(user.isEmpty(), 'something is left')
}
