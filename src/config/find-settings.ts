import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'dotenv'
import type { Environment } from './effective-texts.ts'
import { settingNames } from './settings-table.ts'

/** The settings of a command that looks at an installation, and where they stand. */
export interface FoundSettings {
  /** The variables of the process, and those of the file that the process does not set. */
  readonly environment: Environment
  /** The variables of the file alone. */
  readonly fromFile: Environment
  /** The file that was read; undefined = none. */
  readonly file: string | undefined
  /** `.env`, `the environment and .env` and so on. */
  readonly place: string
  /** The settings of the service are there, but this user may not read them. */
  readonly unreadable?: { readonly finding: string; readonly remedy: string }
}

/** The files where settings may stand. */
interface SettingsFiles {
  /** In the working directory. */
  readonly own: string
  /** Where docs/install.md puts the settings of the service. */
  readonly installed: string
  /** The runtime directory of the service (alta-auth.service). systemd tells it to the service alone. */
  readonly runtime: string
}

const usual: SettingsFiles = {
  own: '.env',
  installed: '/etc/alta-auth/alta-auth.env',
  runtime: '/run/alta-auth-store',
}

/**
 * Finds the settings of the installation: those of the environment and of `.env`, as the service does. Where
 * these do not say BACKEND_URL, the ones that docs/install.md has made; an `.env` that belongs to another
 * program counts for nothing then.
 */
export function findSettings(environment: Environment, files: SettingsFiles = usual): FoundSettings {
  const { text } = readFile(files.own)
  const near = merge(environment, files.own, text)
  if (near.environment['BACKEND_URL']?.trim()) return near
  const installed = readFile(files.installed)
  if (installed.text !== undefined) {
    const runtime = existsSync(files.runtime) ? { RUNTIME_DIRECTORY: files.runtime } : {}
    return merge({ ...environment, ...runtime }, files.installed, installed.text)
  }
  if (installed.code === 'ENOENT' || installed.code === 'ENOTDIR') return near
  const finding = `${files.installed} cannot be read by this user (${installed.code}), and BACKEND_URL is set nowhere else`
  return { ...near, unreadable: { finding, remedy: 'run the command as root, for example with sudo' } }
}

/** The text of a file, or the error code that reading it gave. */
function readFile(file: string): { readonly text?: string; readonly code?: string } {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    return { code: String((error as NodeJS.ErrnoException).code) }
  }
}

function merge(environment: Environment, file: string, text: string | undefined): FoundSettings {
  const fromFile = text === undefined ? {} : parse(text)
  const isSet = (place: Environment): boolean => settingNames.some((name) => place[name] !== undefined)
  const places = [...(isSet(environment) ? ['the environment'] : []), ...(isSet(fromFile) ? [file] : [])]
  return {
    environment: { ...fromFile, ...environment },
    fromFile,
    file: text === undefined ? undefined : file,
    place: places.join(' and '),
  }
}
