import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { MediaFolder } from './read-media.ts'

/** A playlist of a folder, and the keys that it names, as written there. */
interface KeyedPlaylist {
  /** Below the folder: `news/index.m3u8`. */
  readonly file: string
  readonly keys: readonly string[]
}

const MOST_PLAYLISTS = 200
const MOST_BYTES = 65_536

/** Reads which AES keys the playlists of a folder name. Looks at the beginning of 200 playlists at most. */
export function readKeys(folder: string, media: MediaFolder): KeyedPlaylist[] {
  return playlistsOf(media, '')
    .slice(0, MOST_PLAYLISTS)
    .map((file) => ({ file, keys: keysIn(beginningOf(join(folder, file))) }))
    .filter(({ keys }) => keys.length > 0)
}

function playlistsOf({ playlists, folders }: MediaFolder, prefix: string): string[] {
  const inner = [...folders].flatMap(([name, folder]) => playlistsOf(folder, `${prefix}${name}/`))
  return [...playlists.map((name) => prefix + name), ...inner].filter((file) => /\.m3u8?$/i.test(file))
}

function keysIn(text: string): string[] {
  const lines = text.matchAll(/^#EXT-X-(?:SESSION-)?KEY:.*?\bURI="([^"]+)"/gm)
  return [...new Set([...lines].map(([, uri = '']) => uri))]
}

function beginningOf(file: string): string {
  try {
    const opened = openSync(file, 'r')
    try {
      const buffer = Buffer.alloc(MOST_BYTES)
      return buffer.toString('utf8', 0, readSync(opened, buffer, 0, MOST_BYTES, 0))
    } finally {
      closeSync(opened)
    }
  } catch {
    return '' // no permission, or gone meanwhile
  }
}
