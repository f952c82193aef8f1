import { posix } from 'node:path'
import type { Environment } from './effective-texts.ts'

/** What STATE_URL and STATE_MAX are where nobody sets them, and where that comes from. */
export interface StateText {
  readonly text: string
  readonly origin: 'RUNTIME_DIRECTORY' | 'default'
}

/**
 * systemd says in RUNTIME_DIRECTORY which folder of `/run` is the service's own (systemd.exec(5)). A store
 * lies there unless STATE_URL says otherwise, and may take less than on a disk, because `/run` is memory.
 */
export function stateTexts(environment: Environment): Readonly<Record<'STATE_URL' | 'STATE_MAX', StateText>> {
  const directory = runtimeDirectory(environment)
  const url: StateText =
    directory === undefined
      ? { text: 'off', origin: 'default' }
      : { text: `file:${directory}/state`, origin: 'RUNTIME_DIRECTORY' }
  const isThere = directory !== undefined && isBelow(directory, environment['STATE_URL']?.trim() || url.text)
  return {
    STATE_URL: url,
    STATE_MAX: isThere ? { text: '64m', origin: 'RUNTIME_DIRECTORY' } : { text: '1g', origin: 'default' },
  }
}

/** Where the gate may have kept its sessions before STATE_URL named a store that gates share. */
export function formerFolders(environment: Environment): readonly string[] {
  const directories = [
    firstFolder(environment['RUNTIME_DIRECTORY']),
    firstFolder(environment['STATE_DIRECTORY']),
  ]
  return directories.flatMap((directory) => (directory === undefined ? [] : [`${directory}/state`]))
}

function runtimeDirectory(environment: Environment): string | undefined {
  return firstFolder(environment['RUNTIME_DIRECTORY'])
}

/** The first of the folders that systemd names, which stand between colons. */
function firstFolder(folders: string | undefined): string | undefined {
  const first = folders?.split(':')[0]
  return first?.startsWith('/') ? posix.normalize(first) : undefined
}

function isBelow(directory: string, url: string): boolean {
  return posix.normalize(url.replace(/^file:/, '')).startsWith(`${directory}/`)
}
