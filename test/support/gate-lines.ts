import { Agent } from 'node:http'
import type { GateQuestion } from './ask-gate.ts'
import { getVerdict } from './http-get.ts'
import type { Scope } from './scope.ts'

/**
 * Asks the gate on connections that are kept alive, as nginx does. The result is the status, and the session
 * if there is one.
 */
export type AskOnLine = (
  question: GateQuestion,
) => Promise<{ readonly status: number; readonly sessionId: string }>

/** Connections to the gate, for as many questions at a time. */
export function openGateLines(scope: Scope, port: number, connections = 16): AskOnLine {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  scope.after(() => agent.destroy())
  return async (question) => {
    const { status, headers } = await getVerdict({ port, agent }, question)
    return { status, sessionId: String(headers['x-session-id'] ?? '') }
  }
}
