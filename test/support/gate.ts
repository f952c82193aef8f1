import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import { type Environment, readSettings } from '../../src/config/read-settings.ts'
import { createLog, type Log } from '../../src/log/log.ts'
import { createService, type Service } from '../../src/service/service.ts'
import type { Scope } from './scope.ts'

export interface Gate {
  /** `127.0.0.1:port`, as nginx writes it. */
  readonly address: string
  readonly port: number
  /** Of the admin listener; 0 when it is off. */
  readonly adminPort: number
  readonly service: Service
  /** Log lines, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  /** The log as written. */
  logText(): string
}

/**
 * Starts the whole service in this process, on a port of its own. `log` replaces the log that is recorded.
 */
export async function startGate(scope: Scope, environment: Environment, log?: Log): Promise<Gate> {
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
  const kept = createLog({ level, format: 'json', colour: false, stream })
  const service = createService(result.settings, log ?? kept)
  await service.start()
  scope.after(() => service.stop())
  const { port } = service.gateServer.address() as AddressInfo
  const admin = service.adminServer?.address()
  return {
    address: `127.0.0.1:${port}`,
    port,
    adminPort: typeof admin === 'object' ? (admin?.port ?? 0) : 0,
    service,
    get log() {
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    },
    logText: () => lines.join(''),
  }
}
