import { formatAddress, isPublic } from '../listen.ts'
import { leavesChannelsOpen } from '../session/scope.ts'
import { heapLimit, MEGABYTE } from './heap.ts'
import { isLinear } from './is-linear.ts'
import type { Environment, Settings } from './read-settings.ts'

/** Milliseconds. The shipped nginx files wait 3 s: BACKEND_TIMEOUT and a margin must be shorter. */
const LONGEST_TIMEOUT = 2_500
/** The same, with STATE_TIMEOUT before it. */
const LONGEST_WAIT = 2_600
/** Settings of the release before that are still accepted. */
const FORMER = ['SESSION_LIMIT_GRACE', 'SESSION_LIMIT_HOLD']
/** The part of V8's heap that sessions may take. The rest is for short-lived objects. */
const MOST_OF_HEAP = 3 / 4

/** What an operator should know at the start although it is no mistake. One sentence each, with the cure. */
export function startWarnings(settings: Settings, environment: Environment, pid: number): readonly string[] {
  const warnings: string[] = []
  if (settings.defaultAction === 'deny') {
    warnings.push(
      'DEFAULT_ACTION=deny: unknown viewers are refused while the backend is unavailable (Alta allows them; set DEFAULT_ACTION=allow for that)',
    )
  } else {
    warnings.push(
      'DEFAULT_ACTION=allow: unknown viewers are let in while the backend is unavailable (set DEFAULT_ACTION=deny to refuse them)',
    )
  }
  const stateTimeout = settings.state?.timeout ?? 0
  if (settings.backendTimeout > LONGEST_TIMEOUT || settings.backendTimeout + stateTimeout > LONGEST_WAIT) {
    const seconds = Math.ceil((settings.backendTimeout + stateTimeout) / 1000) + 1
    const both = stateTimeout > 0 ? ` with STATE_TIMEOUT=${stateTimeout}ms` : ''
    warnings.push(
      `BACKEND_TIMEOUT=${settings.backendTimeout}ms${both} leaves nginx no margin: change "proxy_read_timeout 3s;" in nginx/alta-auth/server.conf to ${seconds}s`,
    )
  }
  if (isPublic(settings.listen)) {
    warnings.push(
      `LISTEN=${formatAddress(settings.listen)} is reachable from other machines: whoever reaches it can ask the backend in any viewer's name; let a firewall admit nginx only`,
    )
  }
  if (settings.channelPattern === undefined) {
    warnings.push(
      'CHANNEL_PATTERN is not set: an allowed playlist opens its whole directory, and so does one that does not exist, where the backend judges by the beginning of the path ("alta-auth check" proposes a pattern)',
    )
  } else if (leavesChannelsOpen(settings.channelPattern)) {
    warnings.push(
      'CHANNEL_PATTERN does not begin with ^ and the directory of the channels, such as ^/live/: a playlist there that does not exist opens what is of no channel',
    )
  }
  const { channelPattern, credentialPattern } = settings
  for (const [name, pattern] of [
    ['CHANNEL_PATTERN', channelPattern],
    ['CREDENTIAL_PATTERN', credentialPattern],
  ] as const) {
    if (pattern === undefined || isLinear(pattern)) continue
    warnings.push(
      `${name} may take very long on a path that a client has made for it, because of a lookaround, a back reference or a count above 16 such as {1,20}; write it without`,
    )
  }
  if (settings.state === undefined && !environment['STATE_URL']?.trim()) {
    warnings.push(
      'STATE_URL is not set: a restart forgets who plays; set STATE_URL=file:/path, a folder of this gate alone (or STATE_URL=off, and this line is gone)',
    )
  }
  if (settings.state?.kind === 'valkey' && environment['STATE_MAX']?.trim()) {
    warnings.push(
      'STATE_MAX bounds a store in a folder, and STATE_URL names a Valkey, whose own maxmemory counts: remove it',
    )
  }
  if (!environment['SESSION_LIMIT']?.trim()) {
    warnings.push(
      'SESSION_LIMIT is not set: where a backend sends X-UserId with X-Max-Sessions, who has more sessions loses the oldest (set SESSION_LIMIT=newest if you want that, report to see it first, off for no limit)',
    )
  }
  for (const name of FORMER)
    if (environment[name]?.trim())
      warnings.push(`${name} does nothing any more: its time is fixed (docs/sessions.md); remove it`)
  if (environment['EVENTS_MIN_TIME']?.trim())
    warnings.push('EVENTS_MIN_TIME does nothing any more: the receiver leaves short rows out; remove it')
  const heap = heapLimit()
  if (settings.sessionMemory > heap * MOST_OF_HEAP) {
    const [wanted, limit] = [settings.sessionMemory, heap].map((bytes) => Math.floor(bytes / MEGABYTE))
    warnings.push(
      `SESSION_MEMORY=${wanted}m is too much for the ${limit}m of heap that V8 may use: raise that with NODE_OPTIONS=--max-old-space-size=${2 * (wanted ?? 0)}, or write less`,
    )
  }
  const meantFor = environment['LISTEN_PID']
  if (meantFor !== undefined && meantFor !== String(pid)) {
    warnings.push(
      `systemd passed a socket to process ${meantFor}, not to this one (${pid}): start "node dist/main.js" directly, not through npm`,
    )
  }
  return warnings
}
