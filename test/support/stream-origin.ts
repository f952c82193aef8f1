import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { listenOnLoopback } from './listen-on-loopback.ts'
import type { Scope } from './scope.ts'

/** Parts in which a response is sent, for each second. */
const PARTS = 4

/**
 * An origin that sends an MPEG-TS file in real time as an endless stream would be sent, without a length, and
 * cuts the connection after `seconds`. Resolves with its port.
 */
export async function startStreamOrigin(scope: Scope, file: string, seconds: number): Promise<number> {
  const stream = readFileSync(file)
  const part = Math.ceil(stream.length / (seconds * PARTS))
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'video/mp2t' })
    let sent = 0
    const timer = setInterval(() => {
      response.write(stream.subarray(sent, sent + part))
      sent += part
      if (sent >= stream.length) response.end()
    }, 1_000 / PARTS)
    response.on('close', () => clearInterval(timer))
  })
  return (await listenOnLoopback(scope, server)).port
}
