import { StoreError, type StoreTrouble } from '../store-engine.ts'

/** By what the server or the system says: the trouble, and the cure. */
const cures: readonly (readonly [said: RegExp, trouble: StoreTrouble, cure: string])[] = [
  // Before the password Valkey takes no command of more than ten words.
  [/\bNOAUTH\b|unauthenticated/, 'password', 'it wants a password; put user and password into STATE_URL'],
  [
    /\bWRONGPASS\b|invalid password|without any password configured/,
    'password',
    'it does not take the user and password of STATE_URL; correct them',
  ],
  [
    // The second one is what a script says.
    /^NOPERM\b|^ERR ACL failure/,
    'password',
    'the rights of the user in STATE_URL do not suffice; give the ACL of docs/scale.md',
  ],
  [
    /^(?:READONLY|NOREPLICAS)\b/,
    'read-only',
    'it is a replica, or misses its own, and takes no writes; name the primary, or use STATE_MODE=sentinel:NAME',
  ],
  [/^LOADING\b/, 'read-only', 'it is loading its data; wait for it'],
  [/^MASTERDOWN\b/, 'read-only', 'it is a replica without its primary; look at the primary'],
  [/^OOM\b/, 'full', 'its memory is full; raise its maxmemory'],
  [/^MISCONF\b/, 'full', 'it cannot save to its disk; set save "", nothing needs to be saved'],
  [/CLUSTERDOWN\b/, 'failed', 'its cluster is down; look at CLUSTER INFO'],
  [/got an invalid reply/, 'failed', 'its Sentinels know no servers of the name in STATE_MODE; correct it'],
  [/ECONNREFUSED|ENOENT|EACCES/, 'refused', 'nothing listens there for us; start it, or correct STATE_URL'],
  [/ENOTFOUND|EAI_AGAIN/, 'refused', 'its name has no address; correct STATE_URL, or the DNS'],
  [
    /ETIMEDOUT|timed out|[Tt]imeout/,
    'timeout',
    'it does not answer in time; look at its load and the network',
  ],
  [
    /CERT|certificate|ERR_SSL|ERR_TLS|SSL routines|TLS connection/,
    'failed',
    'TLS fails; trust its authority by NODE_EXTRA_CA_CERTS, and name the host as its certificate does',
  ],
  [
    /ECONN|EPIPE|EHOST|ENETUNREACH|[Cc]onnection (?:is |to .* )?(?:close|lost)|isn't (?:writeable|ready)|max retries|None of startup|Failed to refresh|Cluster is (?:disconnect|ended)/,
    'refused',
    'the connection is lost; look whether it runs, and at the network',
  ],
]

/**
 * What an error means for a server of this name. Neither the error nor its text is handed on: the client puts
 * the command beside it, and with AUTH that is the password.
 */
export function storeErrorOf(error: unknown, server: string): StoreError {
  if (error instanceof StoreError) return error
  const said = textOf(error)
  const [, trouble, cure] = cures.find(([pattern]) => pattern.test(said)) ?? [
    undefined,
    'failed' as const,
    'it reports an error; look at its log',
  ]
  const word = /\b(?!ERR\b|ACL\b)[A-Z][A-Z_]{2,}\b/.exec(said)?.[0]
  const command = /'([a-z|]+)' command/.exec(said)?.[1]
  const detail = [word, command].filter((one) => one !== undefined).join(' ')
  return new StoreError(trouble, `Valkey at ${server}: ${cure}${detail === '' ? '' : ` (${detail})`}`)
}

export function lateError(server: string): StoreError {
  return storeErrorOf(new Error('ETIMEDOUT'), server)
}

/** What was answered is no answer to what was asked. */
export function unexpectedError(server: string): StoreError {
  return new StoreError(
    'failed',
    `Valkey at ${server} has answered in an unexpected way; look what stands there, and between`,
  )
}

/** The text without the code, where the server speaks; else the code of the system before it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const errors = 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  // A cluster of which no server answers.
  const last = 'lastNodeError' in error ? [error.lastNodeError] : []
  const inner = [...errors, ...last].filter((one) => one instanceof Error).map(textOf)
  const code = 'code' in error && error.code !== undefined ? ` ${String(error.code)}` : ''
  return inner.length > 0 ? inner.join(' ') : `${error.message}${code}`
}
