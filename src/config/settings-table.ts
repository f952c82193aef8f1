import { middlewares } from '../client/presets.ts'
import { MOST_SESSIONS, sessionLimits } from '../limit/terms.ts'
import type { ListenAddress } from '../listen.ts'
import { cookieModes } from '../subrequest.ts'
import { readGateName } from './gate-name.ts'
import { defaultSessionMemory, heapLimit, MEGABYTE } from './heap.ts'
import type { Secret } from './mask.ts'
import { readStateMode, readStatePrefix } from './state-settings.ts'
import { readStateUrl } from './state-url.ts'
import {
  readChannelPattern,
  readChoice,
  readCredentialNames,
  readCredentialPattern,
  readDuration,
  readDurationUpTo,
  readListenAddress,
  readNames,
  readOptionalUrl,
  readSecrets,
  readSize,
  readStatuses,
  readToken,
  readUrls,
  readWholeNumber,
} from './values.ts'

/** One environment variable. `value` is the default as an operator writes it; undefined = must be set. */
export interface Setting<Value> {
  readonly value: string | undefined
  /** One line for docs/settings.md and for `.env.example`. */
  readonly about: string
  /** An example of its value, for a setting that must be set. */
  readonly example?: string
  /** Reads the text. @throws {ValueError} what is wrong, and how to write it */
  readonly read: (text: string) => Value
  /** Not shown in clear. */
  readonly secret?: Secret
}

function setting<Value>(
  value: string | undefined,
  about: string,
  read: (text: string) => Value,
): Setting<Value> {
  return { value, about, read }
}

const off = (read: (text: string) => ListenAddress) => (text: string) =>
  text === 'off' ? undefined : read(text)
const ttl = (text: string): number | 'session' => (text === 'session' ? text : readDuration(text))

/** The settings. The parser, `.env.example` and docs/settings.md are all made from this table. */
export const settingsTable = {
  BACKEND_URL: {
    ...setting(
      undefined,
      'where the backend answers; several URLs are separated by spaces or commas',
      readUrls,
    ),
    example: 'http://127.0.0.1:6000/auth',
    secret: 'url',
  },
  BACKEND_MODE: setting(
    'failover',
    'several backends: `failover` = in order, the next only when one is unavailable; `any` = all at once, the first 200 wins',
    readChoice(['failover', 'any']),
  ),
  MIDDLEWARE: setting(
    'custom',
    '`ministra`, `iptvportal`, `smarty`: complete a bare `BACKEND_URL` to the documented path, set `ALLOW_TTL=session` and `UNAVAILABLE_STATUS=502 503 504`; a value of your own wins',
    readChoice(middlewares),
  ),
  DEFAULT_ACTION: setting(
    'deny',
    'the verdict for unknown viewers while the backend is unavailable: `allow` or `deny`',
    readChoice(['allow', 'deny']),
  ),
  BACKEND_TIMEOUT: setting(
    '2s',
    'deadline of one question, all backends together; above 2.5s nginx must wait longer too',
    readDurationUpTo('1m'),
  ),
  BACKEND_CONCURRENCY: setting(
    '64',
    'questions under way at most, for each backend; one client address may hold three quarters where nobody else asks',
    readWholeNumber(4, 10_000),
  ),
  UNAVAILABLE_STATUS: setting(
    '',
    'statuses that count as unavailable instead of deny, such as `502 503 504`, which are always an outage for who plays',
    readStatuses,
  ),
  LISTEN: setting(
    '127.0.0.1:9180',
    'where nginx reaches the gate: `host:port` or `unix:/path`',
    readListenAddress,
  ),
  ADMIN_LISTEN: setting(
    '127.0.0.1:9181',
    'health, metrics, live page and sessions: `host:port`, `unix:/path` or `off`',
    off(readListenAddress),
  ),
  ADMIN_TOKEN: {
    ...setting(
      '',
      'what `Authorization: Bearer` must say on the admin listener; required where other machines reach it',
      readToken,
    ),
    secret: 'text',
  },
  ALLOW_TTL: setting(
    '1m',
    'after this a playing session is re-checked in the background; `session` = never',
    ttl,
  ),
  DENY_TTL: setting('5s', 'a deny is remembered this long, for exactly its own request', readDuration),
  STALE_TTL: setting(
    '1h',
    'while the backend is unavailable, a known allow holds this much longer',
    readDuration,
  ),
  DEFAULT_TTL: setting(
    '2s',
    'an answer of the default action counts this long, then the backend is asked again',
    readDuration,
  ),
  SESSION_IDLE: setting('2m', 'silence that ends a session', readDuration),
  NGINX_TTL: setting(
    '10s',
    'with the verdict cache of nginx: it repeats a verdict this long at most, and never longer than half of `SESSION_IDLE`',
    readDuration,
  ),
  TOKEN_PARAM: setting('token', 'names of the URL parameters that carry a credential', readCredentialNames),
  IGNORED_PARAMS: setting(
    '_HLS_* CMCD',
    'URL parameters that players vary: sent to the backend, but no part of what tells two requests apart',
    readNames,
  ),
  VIEWER_IPV6_PREFIX: setting(
    '64',
    'how many bits of an IPv6 address a viewer is known by, 56 to 128: privacy addresses change within their /64; `128` = the address itself',
    readWholeNumber(56, 128),
  ),
  VIEWER_IPV4_PREFIX: setting(
    '32',
    'the same for IPv4, 24 to 32: less than `32` only for carriers whose addresses flip within a block, since all behind that block with the same player are then one viewer',
    readWholeNumber(24, 32),
  ),
  SESSION_COOKIE: setting(
    'off',
    'with `cookie.conf` in nginx: `on` = a viewer is also known by a session cookie, from any address; `strict` = nothing rides without it',
    readChoice(cookieModes),
  ),
  SESSION_COOKIE_SHARED: setting(
    'log',
    'a session cookie that two addresses of one family send for longer than a minute: `log` it, or `deny` = end its sessions',
    readChoice(['log', 'deny']),
  ),
  CHANNEL_PATTERN: setting(
    '',
    'regular expression on the path whose first group is the channel, such as `^/live/([^/]+)/`; recommended, `alta-auth check` proposes one',
    readChannelPattern,
  ),
  CREDENTIAL_PATTERN: setting(
    '',
    'regular expression on the path whose groups together are a credential, such as `^/(?:live|movie|series)/([^/]+)/([^/]+)/` for Xtream Codes',
    readCredentialPattern,
  ),
  MAX_SESSIONS: setting(
    '100000',
    'bound of live sessions; past it the least recently used one is evicted',
    readWholeNumber(1, 10_000_000),
  ),
  SESSION_MEMORY: setting(
    '',
    'bytes that sessions may hold, such as `64m` or `1g`: past them it is as past `MAX_SESSIONS`; empty = half of what the heap of V8 leaves beside `64m` for the gate itself',
    (text) => (text === '' ? defaultSessionMemory(heapLimit()) : readSize(MEGABYTE)(text)),
  ),
  SESSION_RESUME: setting(
    'backend',
    'how long a viewer who was silent may go on without a question: `backend` = as long as its last `X-AuthDuration` said, a time, or `off`; at most 24h, and only with a store',
    (text) => (text === 'backend' ? text : text === 'off' ? 0 : readDurationUpTo('24h')(text)),
  ),
  STATE_URL: {
    ...setting(
      '',
      'the store, where sessions outlive the gate: `file:/path`, a folder of this gate alone; `valkey://user:password@host:6379/0`, `valkeys://` or `unix:/path`, a Valkey that gates share; or `off`; empty = a folder in the runtime directory of systemd, elsewhere `off`',
      readStateUrl,
    ),
    secret: 'store',
  },
  STATE_MODE: setting(
    'single',
    'what the addresses of Valkey are: `single` = one server, `cluster` = nodes of a cluster, `sentinel:NAME` = Sentinels that know the server as NAME',
    readStateMode,
  ),
  STATE_MAX: setting(
    '',
    'bytes that a store in a folder may take, such as `64m` or `1g`; empty = `64m` in the runtime directory of systemd, elsewhere `1g`',
    readSize(16 * MEGABYTE),
  ),
  STATE_SECRET: {
    ...setting(
      '',
      'seals what lies in the store: 32 characters or more; while you change it, the new one, a space and the former one; required with Valkey, the same on all gates; empty = not sealed',
      readSecrets,
    ),
    secret: 'text',
  },
  STATE_TIMEOUT: setting(
    '100ms',
    'a new viewer waits this long for the store, then the backend is asked',
    readDurationUpTo('1s'),
  ),
  STATE_PREFIX: setting(
    'alta-auth:',
    'what all keys in Valkey begin with; another one for each installation that shares a Valkey',
    readStatePrefix,
  ),
  GATE_NAME: setting(
    '',
    'what this gate is called among those that share a Valkey; empty = host name and where it listens',
    readGateName,
  ),
  SESSION_LIMIT: setting(
    'newest',
    'who gives way when a user has more streams than the backend allows: `newest` = the newest plays, `refuse` = who plays keeps playing, `report` = nobody, it is only shown, `off`',
    readChoice(sessionLimits),
  ),
  MAX_USER_SESSIONS: setting(
    '',
    'streams at once for users for whom the backend names no number; empty = no limit',
    (text) => (text === '' ? undefined : readWholeNumber(1, MOST_SESSIONS)(text)),
  ),
  MIN_USER_SESSIONS: setting(
    '1',
    'raises a smaller `X-Max-Sessions` of the backend, but not 0, which is no limit',
    readWholeNumber(1, MOST_SESSIONS),
  ),
  EVENTS_URL: {
    ...setting('', 'where starts and ends of sessions are posted to; empty = nowhere', readOptionalUrl),
    secret: 'url',
  },
  EVENTS_INTERIM: setting(
    'off',
    'an `interim` event of each session that plays, every so often (such as `10m`); `off` = none',
    (text) => (text === 'off' ? 0 : readDuration(text)),
  ),
  LOG_LEVEL: setting(
    'info',
    '`error`, `warn`, `info` or `debug`',
    readChoice(['error', 'warn', 'info', 'debug']),
  ),
  LOG_FORMAT: setting('json', '`json` for machines, `pretty` for people', readChoice(['json', 'pretty'])),
} as const satisfies Record<string, Setting<unknown>>

/** The name of an environment variable. */
export type SettingName = keyof typeof settingsTable

/** The type of each setting's value. */
export type RawSettings = { readonly [Name in SettingName]: ReturnType<(typeof settingsTable)[Name]['read']> }

/** All names, in the order of the table. */
export const settingNames = Object.keys(settingsTable) as readonly SettingName[]
