import { effectiveTexts } from '../config/effective-texts.ts'
import type { FoundSettings } from '../config/find-settings.ts'
import { maskSetting, maskUrl } from '../config/mask.ts'
import { onOneLine } from '../config/on-one-line.ts'
import { type Setting, settingsTable } from '../config/settings-table.ts'
import { readUrls, ValueError } from '../config/values.ts'

/**
 * The settings that count: one `NAME=value` a line, as `.env` would hold it, and behind it where it comes
 * from. Secrets are masked.
 */
export function showSettings({ environment, fromFile, file = '.env' }: FoundSettings): string {
  const lines = effectiveTexts(environment).map(({ name, text, origin }) => {
    const setting: Setting<unknown> = settingsTable[name]
    const shown =
      text === undefined
        ? ''
        : onOneLine(setting.secret === 'url' ? maskUrls(text) : maskSetting(text, setting.secret))
    const from = {
      set: fromFile[name] === environment[name] ? file : 'environment',
      MIDDLEWARE: 'MIDDLEWARE',
      RUNTIME_DIRECTORY: 'RUNTIME_DIRECTORY',
      default: 'default',
    }
    return [`${name}=${shown}`, `# ${text === undefined ? 'not set, but must be' : from[origin]}`] as const
  })
  const width = Math.min(60, Math.max(...lines.map(([value]) => value.length)))
  return lines.map(([value, from]) => `${value.padEnd(width)}  ${from}\n`).join('')
}

/** Masks each URL of a list. A list that cannot be split is masked as a whole. */
function maskUrls(text: string): string {
  try {
    return readUrls(text).map(maskUrl).join(' ')
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    return maskUrl(text)
  }
}
