import { posix } from 'node:path'
import { ValueError } from './values.ts'

/** Kinds of stores that other machines could share. */
const shared = /^(?:valkey|rediss?|unix):/i

const cure = 'write it as file:/var/lib/alta-auth/state, or off'

/**
 * Reads STATE_URL: the folder of the store as an absolute path, or undefined for none. @throws {ValueError}
 */
export function readStateUrl(text: string): string | undefined {
  if (text === 'off') return undefined
  if (shared.test(text)) throw new ValueError(`names a shared store, which is not in this release; ${cure}`)
  if (!text.startsWith('file:')) throw new ValueError(`names no store; ${cure}`)
  const path = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
  if (/[\s,;:]/.test(path)) throw new ValueError(`holds more than one path; ${cure}`)
  if (path.startsWith('//')) throw new ValueError(`names another machine; ${cure}`)
  if (!path.startsWith('/')) throw new ValueError(`needs an absolute path, without ~; ${cure}`)
  if (!/^[\w./@=+-]+$/.test(path))
    throw new ValueError(`may hold only letters, digits and ._-@=+ in its path; ${cure}`)
  const folder = posix.normalize(path).replace(/\/$/, '')
  if (folder === '') throw new ValueError(`names no folder of its own; ${cure}`)
  return folder
}
