import type { AddressesOf } from '../../src/check/cookie/find-two-families.ts'
import type { Finding } from '../../src/check/finding.ts'
import type { ReadKernel } from '../../src/check/nginx/check-kernel.ts'
import { runNginx } from '../../src/check/nginx-conf/run-nginx.ts'
import { runChecks } from '../../src/check/run-checks.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import { type Backend, startBackend } from './backend.ts'
import { type ConfiguredOptions, configureNginx } from './configured-nginx.ts'
import { findFreePort } from './free-port.ts'
import { type Gate, startGate } from './gate.ts'
import type { Scope } from './scope.ts'
import { hasToken } from './token-backend.ts'

export interface CheckedSite {
  readonly backend: Backend
  readonly gate: Gate
  /** The settings of the gate that runs, and the PATH with nginx in it. */
  readonly environment: Environment
}

export interface CheckedOptions {
  /** Settings of the gate and of the check. */
  readonly settings?: Environment
  readonly nginx?: Partial<ConfiguredOptions>
}

/**
 * An installation in which `check` finds no fault: backend, gate, and the example site as nginx's
 * configuration.
 */
export async function startCheckedSite(scope: Scope, options: CheckedOptions = {}): Promise<CheckedSite> {
  const backend = await startBackend(scope)
  backend.answer = hasToken('good')
  const settings = {
    BACKEND_URL: `${backend.url}/auth`,
    ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}`,
    CHANNEL_PATTERN: '^/live/([^/]+)/',
    STATE_URL: 'off',
    ...options.settings,
  }
  const gate = await startGate(scope, settings)
  const environment = { LISTEN: gate.address, ...settings }
  const path = await configureNginx(scope, { gate: gate.address, ...options.nginx })
  return { backend, gate, environment: { ...environment, PATH: path } }
}

/**
 * Runs all checks in this process, without reading the kernel's settings or asking DNS about sites. `ahead`
 * sets its clock forward, in milliseconds.
 */
export function checkSite(
  environment: Environment,
  ahead = 0,
  readKernel: ReadKernel = () => undefined,
  addressesOf: AddressesOf = () => Promise.resolve([]),
): Promise<readonly Finding[]> {
  return runChecks({
    found: { environment, fromFile: {}, file: undefined, place: 'the environment' },
    clock: () => Math.round(performance.now()),
    now: () => Date.now() + ahead,
    runNginx: () => runNginx(environment['PATH'] ?? ''),
    readKernel,
    addressesOf,
    onBusy: () => {},
    onFindings: () => {},
  })
}

/** On a busy machine each backend is slow. */
const ofMachine = 'warning backend-latency'

/**
 * All findings that are neither ok nor skipped, such as `failed gate`, `warning nginx-log`. A slow backend
 * counts only when it is `expected`.
 */
export function flawsOf(findings: readonly Finding[], expected: readonly string[] = []): string[] {
  return findings
    .filter(({ result }) => result === 'failed' || result === 'warning')
    .map(({ name, result }) => `${result} ${name}`)
    .filter((flaw) => flaw !== ofMachine || expected.includes(ofMachine))
}

/** The finding and the remedy, on two lines, of the first check with this name that is not ok. */
export function textOf(findings: readonly Finding[], name: string): string {
  const own = findings.filter((one) => one.name === name)
  const found = own.find(({ result }) => result !== 'ok') ?? own[0]
  return `${found?.finding ?? 'no such check'}\n${found?.remedy ?? ''}`
}
