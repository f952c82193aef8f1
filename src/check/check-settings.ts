import { existsSync } from 'node:fs'
import { type Environment, readSettings, type SettingsResult } from '../config/read-settings.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, failed } = findingsOf('settings')
/** Where docs/install.md puts the settings of the service. */
const SERVICE_SETTINGS = '/etc/alta-auth/alta-auth.env'

/** Reads the settings. One finding for each problem. */
export function checkSettings(environment: Environment): {
  readonly result: SettingsResult
  readonly findings: readonly Finding[]
} {
  const result = readSettings(environment)
  if (result.ok) {
    const backends = result.settings.backends.map(({ name }) => name)
    const sentence = `right; BACKEND_URL is ${backends.join(', ')}`
    return { result, findings: [ok(sentence, undefined, { backends })] }
  }
  const elsewhere = environment['BACKEND_URL'] === undefined && existsSync(SERVICE_SETTINGS)
  const remedy = elsewhere
    ? `the service has its own: node --env-file=${SERVICE_SETTINGS} "$(which alta-auth)" check`
    : 'correct it in the environment or in .env; without settings nothing else is checked'
  return { result, findings: result.problems.map((problem) => failed(problem, remedy)) }
}
