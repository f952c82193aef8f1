import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import { createService, type Service } from '../../src/service/service.ts'
import { createLog } from '../../src/watch/log.ts'
import type { Scope } from './scope.ts'

export interface Gate {
  /** `127.0.0.1:port`, as nginx writes it. */
  readonly address: string
  readonly port: number
  readonly service: Service
  /** Log lines, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  /** The log as written. */
  logText(): string
}

/** The whole service in this process, on a port of its own. */
export async function startGate(scope: Scope, environment: Environment): Promise<Gate> {
  const result = readSettings({
    LISTEN: '127.0.0.1:0',
    ADMIN_LISTEN: 'off',
    LOG_LEVEL: 'debug',
    ...environment,
  })
  if (!result.ok) throw new Error(result.problems.join('\n'))
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const { logLevel: level } = result.settings
  const service = createService(result.settings, createLog({ level, format: 'json', colour: false, stream }))
  await service.start()
  scope.after(() => service.stop())
  const { port } = service.gateServer.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    port,
    service,
    get log() {
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    },
    logText: () => lines.join(''),
  }
}
