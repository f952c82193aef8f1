import type { FoundSettings } from '../config/find-settings.ts'
import { readSettings, type SettingsResult } from '../config/read-settings.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, failed } = findingsOf('settings')

/** Reads the settings that were found. One finding for each problem. */
export function checkSettings({ environment, file, place, unreadable }: FoundSettings): {
  readonly result: SettingsResult
  readonly findings: readonly Finding[]
} {
  if (unreadable !== undefined) {
    const { finding, remedy } = unreadable
    return { result: { ok: false, problems: [finding] }, findings: [failed(finding, remedy)] }
  }
  const result = readSettings(environment)
  if (result.ok) {
    const backends = result.settings.backends.map(({ name }) => name)
    const sentence = `right, from ${place}; BACKEND_URL is ${backends.join(', ')}`
    return { result, findings: [ok(sentence, undefined, { backends, file: file ?? null })] }
  }
  const remedy = `correct it in the environment or in ${file ?? '.env'}; without settings nothing else is checked`
  return { result, findings: result.problems.map((problem) => failed(problem, remedy)) }
}
