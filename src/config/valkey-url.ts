import { ValueError } from './values.ts'

/** The addresses of Valkey in STATE_URL. */
export interface ValkeyUrl {
  readonly kind: 'valkey'
  readonly nodes: readonly [WrittenAddress, ...WrittenAddress[]]
  readonly tls: boolean
  readonly username?: string
  readonly password?: string
  readonly database: number
}

/** A port that is not written depends on STATE_MODE. */
type WrittenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number | undefined }
  | { readonly kind: 'unix'; readonly path: string }

const schemes = /^(?:valkeys?|rediss?|unix):/i
const tcpShape =
  /^(valkeys?|rediss?):\/\/(?:(.*)@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?))(?::(\d{1,5}))?(?:\/(\d{0,4}))?$/
const unixShape = /^unix:(?:\/\/(?:([^/]*)@)?(?=\/))?(\/(?!\/)[\w./@=+-]+)$/
const cure = 'write it as valkey://user:password@host:6379/0, valkeys:// for TLS, or unix:/path'

/** Whether a text is meant to lead to Valkey. */
export function isValkeyUrl(text: string): boolean {
  return schemes.test(text)
}

/**
 * Reads one or several addresses, between spaces or commas. Each has a scheme; user, password and database
 * are those of the first. No part of the text is in a message, because it may belong to a password.
 * @throws {ValueError}
 */
export function readValkeyUrl(text: string): ValkeyUrl {
  const [first, ...rest] = text.split(/[\s,]+/).filter((word) => word !== '')
  if (first === undefined) throw new ValueError(`names no server; ${cure}`)
  const one = readAddress(first)
  const others = rest.map((word) => readAddress(word))
  for (const other of others) {
    if (other.scheme !== one.scheme)
      throw new ValueError('mixes schemes; write all addresses with the same one')
    if (other.database !== undefined && other.database !== (one.database ?? 0))
      throw new ValueError('names more than one database; write it behind the first address alone')
    if (other.user !== undefined && other.user !== one.user)
      throw new ValueError(
        'has another user or password behind the first address; write both there alone, and percent-encode spaces and commas in them as %20 and %2C',
      )
  }
  if (one.node.kind === 'unix' && others.length > 0)
    throw new ValueError('holds more than one path; write one')
  return {
    kind: 'valkey',
    nodes: [one.node, ...others.map(({ node }) => node)],
    tls: one.scheme === 'valkeys',
    ...(one.user === undefined ? {} : readUser(one.user)),
    database: one.database ?? 0,
  }
}

interface Address {
  /** `rediss` is `valkeys`. */
  readonly scheme: 'valkey' | 'valkeys' | 'unix'
  readonly node: WrittenAddress
  /** As written: user and password. */
  readonly user: string | undefined
  readonly database: number | undefined
}

function readAddress(word: string): Address {
  const unix = unixShape.exec(word)
  if (unix !== null) {
    const path = unix[2] ?? ''
    // sockaddr_un holds 107 bytes and a zero at the end.
    if (path.length > 107)
      throw new ValueError('has a path over 107 bytes, too long for a socket; shorten it')
    return { scheme: 'unix', node: { kind: 'unix', path }, user: unix[1], database: undefined }
  }
  if (word.startsWith('unix:'))
    throw new ValueError(
      'needs an absolute path of letters, digits and ._-@=+; write it as unix:/run/valkey/valkey.sock, with a password as unix://user:password@/run/valkey/valkey.sock',
    )
  const tcp = tcpShape.exec(word)
  if (tcp === null) throw new ValueError(`holds an address that is none; ${cure}`)
  const [, scheme = '', user, ipv6, name, port, database] = tcp
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))
    throw new ValueError('names no port from 1 to 65535; write one, or none for 6379')
  return {
    scheme: scheme.endsWith('s') && scheme !== 'redis' ? 'valkeys' : 'valkey',
    node: {
      kind: 'tcp',
      host: ipv6 ?? name ?? '',
      port: port === undefined ? undefined : Number(port),
    },
    user,
    database: database ? Number(database) : undefined,
  }
}

/** `user:password` or `:password`, both percent-encoded. */
function readUser(written: string): { readonly username?: string; readonly password: string } {
  const parts = /^([^:@/?#[\]]*):([^:@/?#[\]]+)$/.exec(written)
  if (parts === null)
    throw new ValueError(
      'has no user:password before the @, or one with a character that must be percent-encoded there, such as @ as %40, : as %3A and / as %2F; a password alone stands behind a colon',
    )
  try {
    const [username = '', password = ''] = parts.slice(1).map(decodeURIComponent)
    return username === '' ? { password } : { username, password }
  } catch {
    throw new ValueError('has a user or password that is not percent-encoded UTF-8; write a % in it as %25')
  }
}
