import { type Setting, type SettingName, settingNames, settingsTable } from './settings-table.ts'

/** Where the text of a setting comes from. */
export type SettingOrigin = 'set' | 'MIDDLEWARE' | 'default'

/** The text that counts for one setting; undefined = it must be set and is not. */
export interface EffectiveText {
  readonly name: SettingName
  readonly text: string | undefined
  readonly origin: SettingOrigin
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Each setting as it counts, before it is read. A variable that is set but empty counts as not set. */
export function effectiveTexts(environment: Environment): readonly EffectiveText[] {
  const middleware = environment['MIDDLEWARE']?.trim() || 'custom'
  return settingNames.map((name) => {
    const setting: Setting<unknown> = settingsTable[name]
    const seen = environment[name]?.trim() || undefined
    if (seen !== undefined) return { name, text: seen, origin: 'set' }
    // The presets follow Alta: a session is never asked about again. What the operator wrote counts more.
    if (name === 'ALLOW_TTL' && middleware !== 'custom')
      return { name, text: 'session', origin: 'MIDDLEWARE' }
    return { name, text: setting.value, origin: 'default' }
  })
}
