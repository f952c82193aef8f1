import type { ListenAddress } from '../listen.ts'

/** What is wrong with a value, and how to write it. The message stands behind the name and the value. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

const unitOf: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Milliseconds. */
const MAX_DURATION = 365 * 86_400_000

/**
 * Reads a time as nginx writes it. Returns milliseconds. A number without a unit is refused. @throws
 * {ValueError}
 */
export function readDuration(text: string): number {
  const parts = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  if (parts === null) throw new ValueError('is not a time; write it as nginx does: 500ms, 30s, 5m, 1h')
  const value = Number(parts[1]) * (unitOf[parts[2] ?? ''] ?? 0)
  if (value === 0) throw new ValueError('is no time at all; write at least 1ms')
  if (value > MAX_DURATION) throw new ValueError('is longer than a year; write a shorter time')
  return value
}

const bytesOf: Readonly<Record<string, number>> = { k: 1024, m: 1_048_576, g: 1_073_741_824 }

/**
 * Reads a size as nginx writes it, of at least `min` bytes. Returns bytes. A number without a unit is
 * refused.
 */
export function readSize(min: number): (text: string) => number {
  return (text) => {
    const parts = /^(\d{1,9})([kmg])$/i.exec(text)
    if (parts === null) throw new ValueError('is not a size; write it as nginx does: 512k, 64m, 1g')
    const value = Number(parts[1]) * (bytesOf[parts[2]?.toLowerCase() ?? ''] ?? 0)
    if (value < min) throw new ValueError(`is too small; write at least ${min / 1_048_576}m`)
    return value
  }
}

/** Reads a time that is not longer than `most`. The returned function gives milliseconds. */
export function readDurationUpTo(most: string): (text: string) => number {
  return (text) => {
    const value = readDuration(text)
    if (value > readDuration(most)) throw new ValueError(`is longer than ${most}; write ${most} or less`)
    return value
  }
}

/** Reads one of these words. The returned function throws a ValueError for any other. */
export function readChoice<const Choice extends string>(
  choices: readonly Choice[],
): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((one) => one === text)
    if (choice === undefined) throw new ValueError(`is not one of ${choices.join(', ')}`)
    return choice
  }
}

/** Words between spaces or commas. */
function readList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

/** URLs between spaces or commas. A comma inside a URL stays in it. @throws {ValueError} */
export function readUrls(text: string): readonly string[] {
  const urls = text.split(/[\s,]+(?=https?:\/\/|$)|\s+/i).filter((url) => url !== '')
  if (urls.length === 0) throw new ValueError('holds no URL; write it as http://127.0.0.1:6000/auth')
  const stray = urls.findIndex((url, index) => index > 0 && !/^[a-z][a-z0-9+.-]*:\/\//i.test(url))
  // The value is not shown: it may be the rest of a password or token that holds a space.
  if (stray !== -1)
    throw new ValueError(`has a word ${stray + 1} that is no URL; percent-encode spaces inside a URL as %20`)
  return urls
}

/** One URL, or undefined for an empty text. @throws {ValueError} */
export function readOptionalUrl(text: string): string | undefined {
  if (text === '') return undefined
  const urls = readUrls(text)
  if (urls.length > 1) throw new ValueError('holds more than one URL; write one')
  return urls[0]
}

/**
 * A bearer token (RFC 6750 section 2.1) that is too long to guess, or undefined for an empty text. @throws
 * {ValueError}
 */
export function readToken(text: string): string | undefined {
  return text === '' ? undefined : readSecret(text, 16)
}

/** The secret that seals, and behind a space the former one while it is changed. @throws {ValueError} */
export function readSecrets(text: string): readonly string[] {
  const secrets = text.split(/\s+/).filter((word) => word !== '')
  if (secrets.length > 2)
    throw new ValueError('holds more than two secrets; write the new one, a space, and the former one')
  return secrets.map((secret) => readSecret(secret, 32))
}

/** @param shortest characters */
function readSecret(text: string, shortest: number): string {
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(text))
    throw new ValueError('may hold only letters, digits and -._~+/; make one with "openssl rand -hex 32"')
  if (text.length < shortest)
    throw new ValueError(`is shorter than ${shortest} characters; make one with "openssl rand -hex 32"`)
  return text
}

/**
 * Names of query parameters, spelt as PHP registers them: no request could match another spelling. @throws
 * {ValueError}
 */
export function readNames(text: string): readonly string[] {
  const names = readList(text)
  for (const name of names) {
    if (!/^[A-Za-z0-9_~!$'()*,;:@/-]+$/.test(name)) {
      throw new ValueError(
        `holds "${name}", which is no parameter name; write it as PHP shows it in $_GET: "a.b" is a_b, "k[]" is k`,
      )
    }
  }
  return names
}

/**
 * As `readNames`, but at least one name. Without a name no request carries a credential, so a request with a
 * bad token would ride as a segment without a token does.
 * @throws {ValueError}
 */
export function readCredentialNames(text: string): readonly string[] {
  const names = readNames(text)
  if (names.length === 0) throw new ValueError('holds no name; write at least one, such as token')
  return names
}

/** Statuses between spaces or commas. @throws {ValueError} */
export function readStatuses(text: string): ReadonlySet<number> {
  return new Set(
    readList(text).map((word) => {
      if (!/^[1-5]\d\d$/.test(word))
        throw new ValueError(`holds "${word}", which is no HTTP status; write e.g. 502 503 504`)
      if (word === '200') throw new ValueError('holds 200, which always allows; leave it out')
      return Number(word)
    }),
  )
}

/**
 * Reads a whole number from `min` to `max`, both included. The returned function throws a ValueError for any
 * other.
 */
export function readWholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new ValueError(`is not a whole number from ${min} to ${max}`)
    return value
  }
}

/** Reads `host:port`, `[ipv6]:port` or `unix:/path`. @throws {ValueError} */
export function readListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length)
    if (!path.startsWith('/'))
      throw new ValueError('needs an absolute path; write it as unix:/run/alta-auth/gate.sock')
    // sockaddr_un holds 107 bytes and a zero at the end.
    if (Buffer.byteLength(path) > 107)
      throw new ValueError('has a path over 107 bytes, too long for a socket; shorten it')
    return { kind: 'unix', path }
  }
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535) {
    throw new ValueError(
      'is no address to listen on; write it as 127.0.0.1:9180, [::1]:9180 or unix:/run/alta-auth/gate.sock',
    )
  }
  return { kind: 'tcp', host: parts[1] ?? parts[2] ?? '', port }
}

/**
 * Reads a pattern of CHANNEL_PATTERN, or undefined for an empty text. It must have a group: the first one is
 * the channel.
 * @throws {ValueError}
 */
export function readChannelPattern(text: string): RegExp | undefined {
  return readPattern(text, 'the channel in parentheses', '^/live/([^/]+)/')
}

/**
 * Reads a pattern of CREDENTIAL_PATTERN, or undefined for an empty text. It must have a group: all of them
 * together are the credential.
 * @throws {ValueError}
 */
export function readCredentialPattern(text: string): RegExp | undefined {
  const example = '^/(?:live|movie|series)/([^/]+)/([^/]+)/'
  return readPattern(text, 'user and password in parentheses, each in its own', example)
}

function readPattern(text: string, groups: string, example: string): RegExp | undefined {
  if (text === '') return undefined
  let pattern: RegExp
  try {
    pattern = new RegExp(text)
  } catch (error) {
    throw new ValueError(
      `is not a regular expression (${error instanceof Error ? error.message : String(error)}); write it as ${example}`,
    )
  }
  // An empty alternative always matches. The match has one entry more than the pattern has groups.
  const entries = new RegExp(`${text}|`).exec('')?.length ?? 1
  if (entries < 2) throw new ValueError(`has no group; put ${groups}: ${example}`)
  return pattern
}
