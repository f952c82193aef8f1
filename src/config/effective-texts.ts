import { type Setting, type SettingName, settingNames, settingsTable } from './settings-table.ts'

/** Where the text of a setting comes from. */
export type SettingOrigin = 'set' | 'MIDDLEWARE' | 'default'

/** The text of one setting that counts; undefined = it must be set and is not. */
export interface EffectiveText {
  readonly name: SettingName
  readonly text: string | undefined
  readonly origin: SettingOrigin
}

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The text of each setting, before it is read. A variable that is set but empty counts as not set. */
export function effectiveTexts(environment: Environment): readonly EffectiveText[] {
  const middleware = environment['MIDDLEWARE']?.trim() || 'custom'
  return settingNames.map((name) => {
    const setting: Setting<unknown> = settingsTable[name]
    const seen = environment[name]?.trim() || undefined
    if (seen !== undefined) return { name, text: seen, origin: 'set' }
    // Presets follow Alta: while a session lasts, its backend is not asked again. An ALLOW_TTL of the
    // operator counts more.
    if (name === 'ALLOW_TTL' && middleware !== 'custom')
      return { name, text: 'session', origin: 'MIDDLEWARE' }
    return { name, text: setting.value, origin: 'default' }
  })
}
