import assert from 'node:assert/strict'
import { type CookieQuestion, cookieRequest } from './cookie-request.ts'
import { allow, deny } from './pretend-gate.ts'
import type { PretendMachine, PretendProcess, PretendProcessOptions } from './pretend-machine.ts'
import { until } from './until.ts'

export const HOME: CookieQuestion = { address: '192.0.2.1', userAgent: 'Chrome at home' }
export const AWAY: CookieQuestion = { address: '2001:db8:9::7', userAgent: 'Chrome on the road' }
/** As the preset of Ministra: never re-checked, and the backend says ten hours. */
export const MINISTRA: PretendProcessOptions = { lifetimes: { allow: 'session' } }

export async function start(machine: PretendMachine, options = MINISTRA): Promise<PretendProcess> {
  const gate = await machine.start(options)
  gate.answers(deny)
  return gate
}

/** Opens a channel, with the cookie that it gives or joins. */
export async function open(
  gate: PretendProcess,
  channel: string,
  question: CookieQuestion,
  duration = '36000',
) {
  gate.answers(() => allow(duration))
  const decision = await gate.decide(
    cookieRequest(`/live/${channel}/index.m3u8?token=X`, { ...HOME, ...question }),
  )
  gate.answers(deny)
  assert.equal(decision.source, 'backend')
  return { id: decision.sessionId, value: decision.newCookie ?? question.value ?? '' }
}

/** Which session lets a request in, and why; else why it is denied. */
export async function seen(gate: PretendProcess, target: string, question: CookieQuestion): Promise<string> {
  const { verdict, reason, sessionId } = await gate.decide(cookieRequest(`/live/${target}`, question))
  return verdict === 'allow' ? `${reason} ${sessionId}` : reason
}

/** A walk through the store may still find something to write. */
export async function written(gate: PretendProcess): Promise<void> {
  await until('all to be written', async () => {
    await gate.pass(100)
    return gate.store.waiting() === 0
  })
  await gate.written()
}

/** Nobody asks for more than SESSION_IDLE. */
export async function goSilent(gate: PretendProcess): Promise<void> {
  await written(gate)
  await gate.pass(180_000)
  gate.sessions.sweep(gate.now())
  await written(gate)
}

export async function restart(machine: PretendMachine, gate: PretendProcess): Promise<PretendProcess> {
  await gate.stop()
  return await start(machine)
}

export async function crash(machine: PretendMachine, gate: PretendProcess): Promise<PretendProcess> {
  await written(gate)
  await gate.kill()
  return await start(machine)
}

export async function opened(machine: PretendMachine, mode: 'on' | 'strict') {
  const gate = await start(machine)
  const { id, value } = await open(gate, 'one', { mode })
  assert.match(value, /^[\w-]{22}$/)
  return { gate, id, value }
}

export function viewerOf(gate: PretendProcess, id: string): string {
  const session = [...gate.sessions.all()].find((one) => one.id === id)
  assert.ok(session)
  return session.viewer
}
