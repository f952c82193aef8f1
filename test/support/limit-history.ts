import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Policy } from '../../src/limit/terms.ts'
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
  ...['nothing', 'zap', 'zap', 'zap', 'zap', 'beside', 'beside', 'off', 'move', 'back', 'back'],
  ...['retry', 'retry', 'retry', 'tokenless', 'closed', 'forget'],
] as const
const WAITS = [50, 500, 2_000, 5_000, 15_000, 40_000]
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
    ...{ max: fc.constant(max), policy: fc.constant(policy) },
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
export function nothingShown() {
  const openings = { openings: 0, zaps: 0, calmZaps: 0, held: 0, mustHold: 0, fights: 0, full: 0 }
  return { steps: 0, looks: 0, displaced: 0, fullMoments: 0, silentFirst: 0, ...openings }
}
export type Shown = ReturnType<typeof nothingShown>

const contain = (a: string, b: string): boolean =>
  a === b || (a.startsWith('/') && (a.startsWith(b) || b.startsWith(a)))
/** Places that contain one another are one, and children of one master may be. */
const rootOf = (place: string): string => (place.startsWith('/live/') ? '/live/' : place)

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Who was put out, as the players know it. */
interface Seat {
  readonly places: { readonly place: string; readonly mustHold: boolean; until: number }[]
  /** When others have put it out. */
  readonly times: number[]
  /** Out of all places until then. */
  everywhere: number
}

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
  const seats = new Map<string, Seat>()
  const opened = new Map<string, { readonly viewer: string; readonly place: string }>()
  let told = 0

  const seatOf = (viewer: string): Seat => {
    const seat = seats.get(viewer) ?? { places: [], times: [], everywhere: 0 }
    seats.set(viewer, seat)
    return seat
  }
  const of = (viewer: string) => user.sessions().filter((one) => one.session.viewer === viewer)
  const viewers = () => [...new Set(user.sessions().map((one) => one.session.viewer))]
  const heardWithin = (one: { readonly seen: number }, time: number) => user.now() - one.seen < time

  /** What these count at least: one, and all channels that have really gone on for a minute and a look. */
  const leastOf = (viewer: string): number => {
    const kept = of(viewer).filter(
      ({ playingSince, asked }) => playingSince !== undefined && user.now() - asked > 66 * SECOND,
    )
    return Math.max(1, new Set(kept.map(({ session }) => rootOf(session.place))).size)
  }
  /** What others, and these elsewhere, may count at most for who comes to a place. */
  const mostBeside = (viewer: string, place: string, withOwn: boolean): number =>
    viewers().reduce((sum, other) => {
      const all = of(other).filter((one) => heardWithin(one, other === viewer ? 20_000 : 30_000))
      const places = new Set(all.map(({ session }) => session.place))
      if (other !== viewer) return sum + places.size
      return withOwn ? sum + [...places].filter((one) => !contain(one, place)).length : sum
    }, 0)
  const playing = (): Set<string> =>
    new Set(user.sessions().flatMap((one) => (one.playingSince === undefined ? [] : [one.session.viewer])))

  function checkLooked(): void {
    shown.looks++
    const count = viewers().reduce((sum, viewer) => sum + leastOf(viewer), 0)
    assert.ok(count <= max, `${count} count after a look: ${viewers().join(', ')}`)
    if (count === max) shown.fullMoments++
    noteDisplaced()
  }

  function noteDisplaced(): void {
    for (const { id, cause, left, at } of user.displaced.slice(told)) {
      const one = opened.get(id)
      assert.ok(one !== undefined, `${id} was put out twice, or never opened`)
      opened.delete(id)
      const seat = seatOf(one.viewer)
      if (left) continue
      seat.places.push({ place: one.place, mustHold: cause === 'other', until: at + 20_000 })
      if (cause === 'other' && seat.times.at(-1) !== at) {
        seat.times.push(at)
        const [third = Number.NEGATIVE_INFINITY] = seat.times.slice(-3)
        if (seat.times.length > 2 && at - third < 5 * MINUTE) seat.everywhere = at + MINUTE
      }
    }
    shown.displaced += user.displaced.length - told
    told = user.displaced.length
  }

  const open = (viewer: string, place: string, credential: string, tokenless = false): void => {
    const one = session(viewer, place, { id: `s${shown.openings++}`, credential })
    const others = user.sessions().filter((each) => each.session.viewer !== viewer)
    const isHere = of(viewer).some((each) => contain(each.session.place, place) && heardWithin(each, 20_000))
    const isMoving = others.some(
      (each) => each.session.credential === credential && each.session.player === one.player,
    )
    const isFull = [...playing()].filter((other) => other !== viewer).length >= max
    const [most, mostOthers] = [mostBeside(viewer, place, true), mostBeside(viewer, place, false)]
    const silent = viewers().filter((who) => who !== viewer && of(who).every((s) => !heardWithin(s, 31_000)))
    const heard = new Map(others.map((each) => [each.session.id, heardWithin(each, 29_000)]))
    const seat = seatOf(viewer)
    const held = seat.places.filter((out) => rootOf(out.place) === rootOf(place) && out.until > user.now())
    const mustHold = held.some((out) => out.mustHold && contain(out.place, place))
    const fights = seat.everywhere > user.now()
    opened.set(one.id, { viewer, place })
    const before = user.displaced.length
    const { refused } = user.open(one, tokenless ? { tokenless } : {})
    const gone = user.displaced.slice(before)
    // Who comes elsewhere does not try to come back, whatever that puts out.
    if (refused === undefined && !tokenless) {
      seat.places.length = 0
      seat.everywhere = 0
    }
    noteDisplaced()
    if (refused === undefined) checkLooked()
    else opened.delete(one.id)
    if (tokenless) {
      assert.deepEqual(gone, [], `${viewer} has no credential, and others are cut`)
      return
    }

    const asked = `${viewer} at ${place}, ${refused}`
    if (policy === 'newest') assert.ok(refused === undefined || refused === 'held', asked)
    if (refused === 'full') {
      shown.full++
      assert.ok(mostOthers >= max, `${asked}: there is room`)
    }
    if (refused === 'held') {
      shown.held++
      assert.ok(held.length > 0 || fights, `${asked}: it was not just put out`)
      assert.ok(most >= max, `${asked}: there is room`)
    }
    if (isFull && !isHere && (fights || mustHold)) {
      shown.mustHold++
      if (fights && !mustHold) shown.fights++
      assert.equal(refused, 'held', `${asked}: it is out`)
    }
    if (isFull && !isHere && !isMoving && policy === 'refuse')
      assert.ok(refused !== undefined, `${asked}: it is full`)
    // Who is silent goes before who was heard.
    if (gone.length > 0 && silent.length > 0) shown.silentFirst++
    const isCut = gone.some(({ id, cause }) => cause === 'other' && heard.get(id) === true)
    const stays = silent.filter((who) => of(who).length > 0)
    if (isCut) assert.deepEqual(stays, [], `${asked}: who was silent stays, and others are cut`)

    if (refused === 'held') {
      for (const out of held) out.until = user.now() + 20_000
      if (fights) seat.everywhere = user.now() + MINUTE
    }
  }

  const stopAll = (viewer: string): void => {
    for (const { session } of of(viewer)) user.stop(session.id)
  }
  /** When each viewer played at two places at once for the last time. */
  const besides = new Map<string, number>()
  /** The latest URL of each viewer, to try it again. */
  const urls = new Map<string, { readonly place: string; readonly credential: string }>()

  for (const step of steps) {
    shown.steps++
    user.pass(step.wait)
    noteDisplaced()
    const viewer = DEVICES[step.device % devices] ?? ''
    const [player = ''] = viewer.split('@')
    const place = PLACES[step.place] ?? ''
    const credential = step.constant ? `constant ${viewer} ${place}` : `token ${shown.openings}`
    const own = of(viewer)
    const openThere = (at: string, url: string, tokenless = false): void => {
      urls.set(viewer, { place: at, credential: url })
      open(viewer, at, url, tokenless)
    }
    switch (step.act) {
      case 'zap': {
        stopAll(viewer)
        const isCalm = user.now() - (besides.get(viewer) ?? 0) > 2 * MINUTE
        const hasRoom = viewers().reduce((sum, other) => {
          const places = new Set(of(other).map(({ session }) => session.place))
          return other === viewer ? sum : sum + places.size
        }, 1)
        const before = user.displaced.length
        openThere(place, credential)
        shown.zaps++
        if (hasRoom > max || !isCalm) break
        // What its viewer only left is not ended either: they may zap back.
        shown.calmZaps++
        assert.equal(user.displaced.length, before, `${viewer} zaps, and a session is put out`)
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
        if (one !== undefined) user.close(one.session.id)
        break
      }
      case 'forget':
        if (step.place !== 0) break
        seats.clear()
        user.forget()
        break
      case 'nothing':
    }
    const { entries, outs } = user.user()
    assert.ok(entries.length + outs.length <= 300)
  }

  // All go on: after a minute and a look no more than the number play.
  user.pass(72 * SECOND)
  for (const { session } of user.sessions()) user.stop(session.id)
  user.pass(10 * MINUTE)
  assert.deepEqual(user.ids(), [])
  assert.ok(user.isEmpty(), 'something is left')
}
