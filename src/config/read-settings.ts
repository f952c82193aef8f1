import type { ClientPrefixes } from '../address.ts'
import type { BackendMode } from '../backend/ask-backends.ts'
import { BackendUrlError, type Endpoint, readEndpoint } from '../client/endpoint.ts'
import { completeUrl } from '../client/presets.ts'
import type { Lifetimes } from '../decision/terms.ts'
import type { TermsSettings } from '../limit/terms.ts'
import { formatAddress, isPublic, type ListenAddress } from '../listen.ts'
import type { Verdict } from '../verdict.ts'
import { type Environment, effectiveTexts } from './effective-texts.ts'
import { maskSetting, maskUrl } from './mask.ts'
import { onOneLine } from './on-one-line.ts'
import {
  type RawSettings,
  type Setting,
  type SettingName,
  settingNames,
  settingsTable,
} from './settings-table.ts'
import { findMisfits, type StateSettings, toStateSettings } from './state-settings.ts'
import { formerFolders } from './state-texts.ts'
import { misspelt } from './typos.ts'
import { ValueError } from './values.ts'

export type { Environment } from './effective-texts.ts'

/** All settings of the service. Times are milliseconds. */
export interface Settings {
  readonly backends: readonly [Endpoint, ...Endpoint[]]
  readonly backendMode: BackendMode
  readonly backendTimeout: number
  /** The most questions under way for each backend. */
  readonly backendConcurrency: number
  readonly unavailableStatus: ReadonlySet<number>
  readonly defaultAction: Verdict
  readonly listen: ListenAddress
  readonly adminListen: ListenAddress | undefined
  /** The bearer token of admin requests; undefined = none is needed. */
  readonly adminToken: string | undefined
  /** Where starts and ends of sessions are posted to; undefined = nowhere. */
  readonly eventsUrl: Endpoint | undefined
  /** Sessions that end sooner are not posted. */
  readonly eventsInterim: number
  readonly lifetimes: Lifetimes
  readonly sessionIdle: number
  /** Where sessions outlive this process; undefined = nowhere. */
  readonly state: StateSettings | undefined
  /** Folders whose sessions a store that gates share takes along; absolute paths. */
  readonly formerFolders: readonly string[]
  /** What this gate is called among those that share a store; undefined = see `defaultGateName`. */
  readonly gateName: string | undefined
  /** How many sessions a user may have at once. Times are milliseconds. */
  readonly limit: TermsSettings
  readonly nginxTtl: number
  readonly maxSessions: number
  /** Bytes. */
  readonly sessionMemory: number
  readonly tokenParams: readonly string[]
  readonly ignoredParams: readonly string[]
  /** How many bits of a client address tell viewers apart. */
  readonly clientPrefixes: ClientPrefixes
  readonly sessionCookie: RawSettings['SESSION_COOKIE']
  readonly sessionCookieShared: RawSettings['SESSION_COOKIE_SHARED']
  readonly channelPattern: RegExp | undefined
  readonly credentialPattern: RegExp | undefined
  readonly logLevel: RawSettings['LOG_LEVEL']
  readonly logFormat: RawSettings['LOG_FORMAT']
}

/** Either the settings, or all problems. Each problem names the variable, its value and the cure. */
export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads all settings from environment variables. A variable that is set but empty counts as not set. */
export function readSettings(environment: Environment): SettingsResult {
  const problems: string[] = []
  const raw: Partial<Record<SettingName, unknown>> = {}
  for (const { name, text } of effectiveTexts(environment)) {
    const setting: Setting<unknown> = settingsTable[name]
    if (text === undefined) {
      problems.push(`${name} is not set; ${setting.about}. Write it as ${name}=${setting.example}`)
      continue
    }
    try {
      raw[name] = setting.read(text)
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      problems.push(`${name}=${maskSetting(text, setting.secret)} ${error.message}`)
    }
  }
  for (const name of Object.keys(environment)) {
    const meant = misspelt(name, settingNames)
    if (meant !== undefined)
      problems.push(`${name} is not a setting; did you mean ${meant}? Rename or remove it`)
  }

  const backends = readBackends(raw as Partial<RawSettings>, problems)
  checkNames(raw as Partial<RawSettings>, problems)
  checkAdmin(raw as Partial<RawSettings>, problems)
  problems.push(...findMisfits(raw as Partial<RawSettings>))
  const eventsUrl = readEventsUrl(raw as Partial<RawSettings>, problems)
  const [first, ...rest] = backends
  if (problems.length > 0 || first === undefined) return { ok: false, problems: problems.map(onOneLine) }
  return { ok: true, settings: toSettings(raw as RawSettings, [first, ...rest], eventsUrl, environment) }
}

function readBackends(raw: Partial<RawSettings>, problems: string[]): Endpoint[] {
  const backends: Endpoint[] = []
  for (const url of raw.BACKEND_URL ?? []) {
    try {
      backends.push(readEndpoint(completeUrl(raw.MIDDLEWARE ?? 'custom', url)))
    } catch (error) {
      if (!(error instanceof BackendUrlError)) throw error
      problems.push(`BACKEND_URL=${maskUrl(url)} ${error.message}`)
    }
  }
  return backends
}

function checkNames(raw: Partial<RawSettings>, problems: string[]): void {
  const ignored = raw.IGNORED_PARAMS ?? []
  const tokens = raw.TOKEN_PARAM ?? []
  for (const name of new Set(ignored)) {
    const isNeeded = tokens.some(
      (token) => name === token || (name.endsWith('*') && token.startsWith(name.slice(0, -1))),
    )
    if (isNeeded) {
      problems.push(
        `IGNORED_PARAMS=${ignored.join(' ')} holds ${name}, which TOKEN_PARAM needs; take it out of one of them`,
      )
    }
  }
}

/**
 * A client of the admin listener can end sessions. So other machines need a token, and nginx must not lead to
 * it.
 */
function checkAdmin(raw: Partial<RawSettings>, problems: string[]): void {
  const { ADMIN_LISTEN: address, ADMIN_TOKEN: token, LISTEN: gate } = raw
  if (address === undefined) return
  const shown = formatAddress(address)
  // Port 0 is another free port each time.
  if (gate !== undefined && shown === formatAddress(gate) && !shown.endsWith(':0'))
    problems.push(`ADMIN_LISTEN=${shown} is where the gate listens; choose another port, or off`)
  if (token !== undefined || !isPublic(address)) return
  problems.push(
    `ADMIN_LISTEN=${shown} is reachable from other machines: set ADMIN_TOKEN (make one with "openssl rand -hex 32"), or listen on 127.0.0.1:9181`,
  )
}

function readEventsUrl(raw: Partial<RawSettings>, problems: string[]): Endpoint | undefined {
  const url = raw.EVENTS_URL
  if (url === undefined) return undefined
  try {
    return readEndpoint(url)
  } catch (error) {
    if (!(error instanceof BackendUrlError)) throw error
    problems.push(`EVENTS_URL=${maskUrl(url)} ${error.message}`)
    return undefined
  }
}

function toSettings(
  raw: RawSettings,
  backends: Settings['backends'],
  eventsUrl: Endpoint | undefined,
  environment: Environment,
): Settings {
  return deepFreeze({
    backends,
    backendMode: raw.BACKEND_MODE,
    backendTimeout: raw.BACKEND_TIMEOUT,
    backendConcurrency: raw.BACKEND_CONCURRENCY,
    unavailableStatus: raw.UNAVAILABLE_STATUS,
    defaultAction: raw.DEFAULT_ACTION,
    listen: raw.LISTEN,
    adminListen: raw.ADMIN_LISTEN,
    adminToken: raw.ADMIN_TOKEN,
    eventsUrl,
    eventsInterim: raw.EVENTS_INTERIM,
    lifetimes: {
      allow: raw.ALLOW_TTL,
      deny: raw.DENY_TTL,
      stale: raw.STALE_TTL,
      default: raw.DEFAULT_TTL,
      resume: raw.SESSION_RESUME,
    },
    sessionIdle: raw.SESSION_IDLE,
    state: toStateSettings(raw),
    formerFolders: formerFolders(environment),
    gateName: raw.GATE_NAME,
    limit: {
      sessionLimit: raw.SESSION_LIMIT,
      maxUserSessions: raw.MAX_USER_SESSIONS,
      minUserSessions: raw.MIN_USER_SESSIONS,
    },
    nginxTtl: raw.NGINX_TTL,
    maxSessions: raw.MAX_SESSIONS,
    sessionMemory: raw.SESSION_MEMORY,
    tokenParams: raw.TOKEN_PARAM,
    ignoredParams: raw.IGNORED_PARAMS,
    clientPrefixes: { ipv4: raw.VIEWER_IPV4_PREFIX, ipv6: raw.VIEWER_IPV6_PREFIX },
    sessionCookie: raw.SESSION_COOKIE,
    sessionCookieShared: raw.SESSION_COOKIE_SHARED,
    channelPattern: raw.CHANNEL_PATTERN,
    credentialPattern: raw.CREDENTIAL_PATTERN,
    logLevel: raw.LOG_LEVEL,
    logFormat: raw.LOG_FORMAT,
  })
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !(value instanceof RegExp)) {
    for (const part of Object.values(value)) deepFreeze(part)
    Object.freeze(value)
  }
  return value
}
