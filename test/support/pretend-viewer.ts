import assert from 'node:assert/strict'
import type { Question } from '../../src/subrequest.ts'
import type { Decision, Outcome } from '../../src/verdict.ts'
import {
  clientRequest,
  createPretendGate,
  type PretendGate,
  type PretendGateOptions,
  settled,
} from './pretend-gate.ts'

/** The request that opens the viewer's session. */
export const opener = clientRequest('/live/ch1/index.m3u8?token=X&_HLS_msn=7')
/** What the viewer asks for after that. */
export const rider = clientRequest('/live/ch1/seg1.ts')
/** Another viewer. */
export const newcomer = clientRequest('/live/ch1/index.m3u8?token=X', { address: '192.0.2.99' })

export const facts = ({ verdict, source, reason }: Decision): string => `${verdict} ${source} ${reason}`

/** What a question was about: the request, and the session. */
export function topicOf(
  question: Question | undefined,
): Pick<Question, 'subrequest' | 'sessionId'> | undefined {
  return question && { subrequest: question.subrequest, sessionId: question.sessionId }
}

/** A gate that has just let the opener in, at time 0. */
export async function opened(options: PretendGateOptions = {}): Promise<{ gate: PretendGate; id: string }> {
  const gate = createPretendGate(options)
  const decision = await gate.decide(opener)
  assert.equal(facts(decision), 'allow backend backend-200')
  return { gate, id: decision.sessionId }
}

/** The viewer plays on: a segment every `step` milliseconds. Returns the answer to the last one. */
export async function play(gate: PretendGate, duration: number, step = 10_000): Promise<Decision> {
  let last = gate.decideAtOnce(rider)
  await settled()
  for (let played = 0; played < duration; played += step) {
    gate.pass(Math.min(step, duration - played))
    last = gate.decideAtOnce(rider)
    await settled()
  }
  return last
}

/** Holds answers back until the test gives them. */
export function held(gate: PretendGate): (outcome: Outcome) => Promise<void> {
  const waiting: ((outcome: Outcome) => void)[] = []
  gate.answers(() => new Promise((resolve) => waiting.push(resolve)))
  return async (outcome) => {
    for (const give of waiting.splice(0)) give(outcome)
    await settled()
  }
}
