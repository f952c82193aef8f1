import { existsSync } from 'node:fs'
import { type Environment, readSettings, type SettingsResult } from '../config/read-settings.ts'
import { type Finding, failed, ok } from './finding.ts'

/** Where docs/install.md puts the settings of the service. */
export const SERVICE_SETTINGS = '/etc/alta-auth/alta-auth.env'

/** All problems of the settings, one finding each. */
export function checkSettings(environment: Environment): {
  readonly result: SettingsResult
  readonly findings: readonly Finding[]
} {
  const name = 'settings'
  const result = readSettings(environment)
  if (result.ok) {
    const names = result.settings.backends.map((backend) => backend.name)
    return { result, findings: [ok(name, `right; BACKEND_URL is ${names.join(', ')}`, { backends: names })] }
  }
  const elsewhere = environment['BACKEND_URL'] === undefined && existsSync(SERVICE_SETTINGS)
  const remedy = elsewhere
    ? `the service has its own: node --env-file=${SERVICE_SETTINGS} /usr/local/bin/alta-auth check`
    : 'correct it in the environment or in .env; without settings nothing else is checked'
  return { result, findings: result.problems.map((problem) => failed(name, problem, remedy)) }
}
