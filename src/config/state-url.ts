import { posix } from 'node:path'
import { isValkeyUrl, readValkeyUrl, type ValkeyUrl } from './valkey-url.ts'
import { ValueError } from './values.ts'

/** What STATE_URL names: a folder, by its absolute path, or Valkey. */
export type StateUrl = { readonly kind: 'file'; readonly folder: string } | ValkeyUrl

const cure = 'write it as file:/var/lib/alta-auth/state, valkey://host:6379, or off'

/** Reads STATE_URL; undefined = no store. @throws {ValueError} */
export function readStateUrl(text: string): StateUrl | undefined {
  if (text === 'off') return undefined
  if (isValkeyUrl(text)) return readValkeyUrl(text)
  if (!text.startsWith('file:')) throw new ValueError(`names no store; ${cure}`)
  const path = text.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
  if (/[\s,;:]/.test(path)) throw new ValueError(`holds more than one path; ${cure}`)
  if (path.startsWith('//')) throw new ValueError(`names another machine; ${cure}`)
  if (!path.startsWith('/')) throw new ValueError(`needs an absolute path, without ~; ${cure}`)
  if (!/^[\w./@=+-]+$/.test(path))
    throw new ValueError(`may hold only letters, digits and ._-@=+ in its path; ${cure}`)
  const folder = posix.normalize(path).replace(/\/$/, '')
  if (folder === '') throw new ValueError(`names no folder of its own; ${cure}`)
  return { kind: 'file', folder }
}
