import { hash } from 'node:crypto'
import type { Settings } from './read-settings.ts'

/** All that a verdict depended on. A session that was judged under other settings is unknown under these. */
export function judgedUnder(settings: Settings): readonly unknown[] {
  const { backends, backendMode, tokenParams, ignoredParams, channelPattern, credentialPattern } = settings
  return [
    backends.map(({ protocol, authority, path, query, authorization }) => [
      ...[protocol, authority, path, query, authorization],
    ]),
    backendMode,
    tokenParams,
    ignoredParams,
    channelPattern?.source,
    credentialPattern?.source,
  ]
}

/** What all gates that share a store have to have in common, as a short text. */
export function sharedConfigurationOf(settings: Settings): string {
  const { clientPrefixes, sessionIdle, limit } = settings
  const all = [judgedUnder(settings), clientPrefixes, sessionIdle, limit.sessionLimit]
  return hash('sha256', JSON.stringify(all), 'base64url').slice(0, 8)
}
