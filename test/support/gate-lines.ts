import { Agent, request } from 'node:http'
import { type GateQuestion, gateHeaders } from './ask-gate.ts'
import type { Scope } from './scope.ts'

/** Asks the gate on connections that are kept alive, as nginx does; the status, and the session when there is one. */
export type AskOnLine = (
  question: GateQuestion,
) => Promise<{ readonly status: number; readonly sessionId: string }>

/** Connections to the gate, for as many questions at a time. */
export function openGateLines(scope: Scope, port: number, connections = 16): AskOnLine {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  scope.after(() => agent.destroy())
  return (question) =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(
        gateHeaders(question).map((line) => [
          line.slice(0, line.indexOf(':')),
          line.slice(line.indexOf(':') + 2),
        ]),
      )
      const asked = request({ port, host: '127.0.0.1', path: '/auth', agent, headers }, (response) => {
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            sessionId: String(response.headers['x-session-id'] ?? ''),
          }),
        )
        response.resume()
      })
      asked.on('error', reject)
      asked.end()
    })
}
