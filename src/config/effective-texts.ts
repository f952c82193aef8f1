import { presetTexts } from '../client/presets.ts'
import { type Setting, type SettingName, settingNames, settingsTable } from './settings-table.ts'
import { type StateText, stateTexts } from './state-texts.ts'

/** Where the text of a setting comes from. */
type SettingOrigin = 'set' | 'MIDDLEWARE' | StateText['origin']

/** The text of one setting that counts; undefined = it must be set and is not. */
interface EffectiveText {
  readonly name: SettingName
  readonly text: string | undefined
  readonly origin: SettingOrigin
}

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The text of each setting, before it is read. A variable that is set but empty counts as not set. Only
 * against a preset it counts, where empty is the default of the setting: `UNAVAILABLE_STATUS=` is no status.
 */
export function effectiveTexts(environment: Environment): readonly EffectiveText[] {
  const derived: Readonly<Partial<Record<SettingName, StateText>>> = stateTexts(environment)
  const isPreset = (environment['MIDDLEWARE']?.trim() || 'custom') !== 'custom'
  return settingNames.map((name) => {
    const setting: Setting<unknown> = settingsTable[name]
    const seen = environment[name]?.trim()
    if (seen) return { name, text: seen, origin: 'set' }
    if (derived[name] !== undefined) return { name, ...derived[name] }
    const preset = isPreset ? presetTexts[name] : undefined
    if (preset === undefined) return { name, text: setting.value, origin: 'default' }
    return seen === '' && setting.value === ''
      ? { name, text: '', origin: 'set' }
      : { name, text: preset, origin: 'MIDDLEWARE' }
  })
}
