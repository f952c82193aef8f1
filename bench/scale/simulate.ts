import { type Audience, LEFT, type Load, REPORT, USER_REPORT } from './audience.ts'
import { createEventQueue } from './event-queue.ts'
import { createSimulatedStore, type SimulatedRecord } from './simulated-store.ts'

export interface SimulationOptions {
  /** Seconds until what is counted counts, and for how long. */
  readonly settle: number
  readonly count: number
  readonly random: () => number
}

interface Session extends SimulatedRecord {
  lastSeen: number
  toldAt: number
  dueAt: number
  rechecked: number
  isLive: boolean
}

interface Viewer {
  session: Session
  /** When something of the user was written last. */
  toldAt: number
  hasLeft: boolean
}

/**
 * Viewers come, ask for segments, zap and leave, one by one; gates report, re-check, forget. As many come as
 * leave.
 */
export function simulate(audience: Audience, options: SimulationOptions): Load {
  const { viewers, segment, channel, visit, kickOff, allow, idle, resume, isLimited } = audience
  const { settle, count, random } = options
  const queue = createEventQueue()
  const store = createSimulatedStore()
  const sum = { requests: 0, openings: 0, rechecks: 0, recalls: 0, writes: 0, replaces: 0 }
  let live = 0
  const after = (mean: number): number => -mean * Math.log(1 - random())

  /** No two players ask in step. */
  const next = (now: number): number => now + segment * (0.9 + 0.2 * random())

  const tellUser = (viewer: Viewer, now: number): void => {
    if (!isLimited) return
    sum.replaces++
    viewer.toldAt = now
  }

  const open = (viewer: Viewer, now: number): void => {
    const session: Session = {
      ...{ lastSeen: now, toldAt: now, rechecked: 0, isLive: true },
      dueAt: now + allow * (0.9 + 0.2 * random()),
      resumableUntil: Number.POSITIVE_INFINITY,
    }
    viewer.session = session
    sum.openings++
    sum.recalls++
    sum.writes++
    live++
    tellUser(viewer, now)
    store.add(viewer, session)
    queue.at(next(now), (at) => play(viewer, session, at))
    queue.at(now + idle * REPORT, (at) => report(session, at))
    queue.at(now + idle, (at) => lookIdle(viewer, session, at))
    queue.at(now + after(channel), (at) => {
      if (viewer.session === session && !viewer.hasLeft) open(viewer, at)
    })
  }

  const play = (viewer: Viewer, session: Session, now: number): void => {
    if (viewer.session !== session || viewer.hasLeft) return
    sum.requests += 2
    session.lastSeen = now
    if (now >= session.dueAt) recheck(viewer, session, now)
    queue.at(next(now), (at) => play(viewer, session, at))
  }

  const recheck = (viewer: Viewer, session: Session, now: number): void => {
    sum.rechecks++
    sum.recalls++
    sum.writes++
    tellUser(viewer, now)
    session.toldAt = now
    // The second one comes at any moment of its ALLOW_TTL.
    session.dueAt = now + (session.rechecked++ === 0 ? allow * random() : allow)
    queue.at(now + idle * REPORT, (at) => report(session, at))
  }

  const report = (session: Session, now: number): void => {
    if (!session.isLive || now < session.toldAt + idle * REPORT) return
    if (session.lastSeen > session.toldAt) sum.writes++
    session.toldAt = now
    queue.at(now + idle * REPORT, (at) => report(session, at))
  }

  const lookIdle = (viewer: Viewer, session: Session, now: number): void => {
    const over = session.lastSeen + idle
    if (now < over) {
      queue.at(over, (at) => lookIdle(viewer, session, at))
      return
    }
    session.isLive = false
    live--
    sum.writes++
    tellUser(viewer, now)
    const isLeft = viewer.session !== session
    session.resumableUntil = session.lastSeen + (isLeft ? Math.min(LEFT, resume) : resume)
    store.fit(viewer, now)
    queue.at(session.resumableUntil, (at) => store.expire(viewer, at))
  }

  const come = (now: number): void => {
    const viewer = { toldAt: now, hasLeft: false } as Viewer
    open(viewer, now)
    const look = (at: number): void => {
      if (viewer.hasLeft && at > viewer.session.lastSeen + idle) return
      if (viewer.session.lastSeen > viewer.toldAt) tellUser(viewer, at)
      queue.at(at + idle * USER_REPORT, look)
    }
    queue.at(now + idle * USER_REPORT * random(), look)
    queue.at(now + after(visit), (at) => {
      viewer.hasLeft = true
      come(at)
    })
  }

  for (let viewer = 0; viewer < viewers; viewer++) queue.at(kickOff * random(), come)
  queue.runUntil(kickOff)
  const rush = sum.openings / kickOff
  queue.runUntil(settle)
  const before = { ...sum }
  const seen = { sessions: 0, records: 0 }
  for (let second = 1; second <= count; second++) {
    queue.runUntil(settle + second)
    seen.sessions += live
    seen.records += store.count()
  }
  const rate = (what: keyof typeof sum): number => (sum[what] - before[what]) / count
  return {
    ...{ requests: rate('requests'), openings: rate('openings'), rechecks: rate('rechecks') },
    questions: rate('openings') + rate('rechecks'),
    ...{ recalls: rate('recalls'), writes: rate('writes'), replaces: rate('replaces') },
    ...{ sessions: seen.sessions / count, records: seen.records / count, rush },
  }
}
