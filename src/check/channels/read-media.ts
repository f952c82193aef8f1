import { opendirSync } from 'node:fs'
import { join } from 'node:path'
import { isPlaylist } from '../../session/scope.ts'

/** A folder, with its playlists and the folders below it that hold playlists. */
export interface MediaFolder {
  /** Names of the playlists in the folder itself. */
  readonly playlists: readonly string[]
  /** Folders with playlists at any depth, by name. */
  readonly folders: ReadonlyMap<string, MediaFolder>
}

/** The most entries that are read: in one folder, and in all. */
const MOST_IN_ONE = 5_000
const MOST = 50_000
const DEEPEST = 6

/**
 * Looks for playlists below a folder. Leaves out what cannot be read, and symbolic links. The time is
 * bounded.
 */
export function readMedia(folder: string): MediaFolder {
  let left = MOST
  const read = (at: string, depth: number): MediaFolder => {
    const playlists: string[] = []
    const names: string[] = []
    try {
      const entries = opendirSync(at)
      for (let seen = 0; seen < MOST_IN_ONE && left > 0; seen++, left--) {
        const entry = entries.readSync()
        if (entry === null) break
        if (entry.isDirectory()) names.push(entry.name)
        else if (entry.isFile() && isPlaylist(`/${entry.name}`)) playlists.push(entry.name)
      }
      entries.closeSync()
    } catch {
      // No permission, or no such folder: there is nothing to read.
    }
    const folders = new Map<string, MediaFolder>()
    for (const name of depth < DEEPEST ? names.sort() : []) {
      const inner = read(join(at, name), depth + 1)
      if (countOf(inner) > 0) folders.set(name, inner)
    }
    return { playlists: playlists.sort(), folders }
  }
  return read(folder, 0)
}

/** The number of playlists in a folder and below it. */
export function countOf({ playlists, folders }: MediaFolder): number {
  return [...folders.values()].reduce((sum, folder) => sum + countOf(folder), playlists.length)
}
