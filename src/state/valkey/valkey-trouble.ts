import { StoreError, type StoreTrouble } from '../record-store.ts'

interface Cure {
  readonly trouble: StoreTrouble
  readonly cure: string
}

/** By the first word of what the server says, or the code of the system. */
const cures: readonly (readonly [RegExp, Cure])[] = [
  [/^NOAUTH\b/, { trouble: 'password', cure: 'it wants a password; put user and password into STATE_URL' }],
  [
    /^WRONGPASS\b|invalid password|without any password configured/,
    {
      trouble: 'password',
      cure: 'it does not take the user and password of STATE_URL; correct them',
    },
  ],
  [
    // The second one is what a script says.
    /^NOPERM\b|^ERR ACL failure/,
    {
      trouble: 'password',
      cure: 'the rights of the user in STATE_URL do not suffice; give the ACL of docs/scale.md',
    },
  ],
  [
    /^(?:READONLY|NOREPLICAS)\b/,
    {
      trouble: 'read-only',
      cure: 'it is a replica, or misses its own, and takes no writes; name the primary, or use STATE_MODE=sentinel:NAME',
    },
  ],
  [/^LOADING\b/, { trouble: 'read-only', cure: 'it is loading its data; wait for it' }],
  [
    /^MASTERDOWN\b/,
    { trouble: 'read-only', cure: 'it is a replica without its primary; look at the primary' },
  ],
  [/^OOM\b/, { trouble: 'full', cure: 'its memory is full; raise its maxmemory' }],
  [
    /^MISCONF\b/,
    { trouble: 'full', cure: 'it cannot save to its disk; set save "", nothing needs to be saved' },
  ],
  [/^CLUSTERDOWN\b/, { trouble: 'failed', cure: 'its cluster is down; look at CLUSTER INFO' }],
  [
    /ECONNREFUSED|ENOENT|EACCES/,
    { trouble: 'refused', cure: 'nothing listens there for us; start it, or correct STATE_URL' },
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    { trouble: 'refused', cure: 'its name has no address; correct STATE_URL, or the DNS' },
  ],
  [/ETIMEDOUT/, { trouble: 'timeout', cure: 'it does not answer in time; look at its load and the network' }],
  [
    /CERT|certificate|ERR_SSL|ERR_TLS|SSL routines|TLS connection/,
    {
      trouble: 'failed',
      cure: 'TLS fails; trust its authority by NODE_EXTRA_CA_CERTS, and name the host as its certificate does',
    },
  ],
  [
    /ECONN|EPIPE|EHOST|ENETUNREACH|[Cc]onnection (?:is |to .* )?(?:close|lost)|isn't writeable|max retries/,
    {
      trouble: 'refused',
      cure: 'the connection is lost; look whether it runs, and at the network',
    },
  ],
]

const otherwise: Cure = { trouble: 'failed', cure: 'it reports an error; look at its log' }

/**
 * What an error means for a server of this name. Neither the error nor its text is handed on: the client puts
 * the command beside it, and with AUTH that is the password.
 */
export function storeErrorOf(error: unknown, node: string): StoreError {
  if (error instanceof StoreError) return error
  const said = textOf(error)
  const { trouble, cure } = cures.find(([pattern]) => pattern.test(said))?.[1] ?? otherwise
  const word = /\b(?!ERR\b|ACL\b)[A-Z][A-Z_]{2,}\b/.exec(said)?.[0]
  const command = /'([a-z|]+)' command/.exec(said)?.[1]
  const detail = [word, command].filter((one) => one !== undefined).join(' ')
  return new StoreError(trouble, `Valkey at ${node}: ${cure}${detail === '' ? '' : ` (${detail})`}`)
}

export function lateError(node: string): StoreError {
  return storeErrorOf(new Error('ETIMEDOUT'), node)
}

/** The text without the code, where the server speaks; else the code of the system before it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = 'errors' in error && Array.isArray(error.errors) ? error.errors.map(textOf).join(' ') : ''
  const code = 'code' in error && error.code !== undefined ? ` ${String(error.code)}` : ''
  return `${error.message}${code} ${inner}`
}

/** Whether the server said that another one has the key, or that it is on its way. */
export function isRedirection(error: unknown): error is Error {
  return ['MOVED', 'ASK', 'TRYAGAIN'].some((word) => isReply(error, word))
}

/** Whether what the server said begins with this word. */
export function isReply(error: unknown, word: string): boolean {
  return error instanceof Error && !(error instanceof StoreError) && error.message.startsWith(`${word} `)
}
