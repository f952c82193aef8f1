import { phpNameOf, piecesOf } from '../query.ts'
import type { Subrequest } from '../subrequest.ts'

/** What a request is judged by. Two requests share a verdict exactly when viewer, target and query are equal. */
export interface Identity {
  /** Client address, User-Agent, playback id and origin: one viewer on one site. */
  readonly viewer: string
  /** The path, or what CHANNEL_PATTERN found in it. */
  readonly target: Target
  /** The client's query without the parameters that players vary, every other byte in order. */
  readonly query: string
  /** The query holds one of the TOKEN_PARAM names, whatever its value. */
  readonly credential: boolean
}

export type Target =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'channel'; readonly channel: string; readonly path: string }

export interface IdentityOptions {
  /** Names of the parameters that carry a credential. */
  readonly tokenParams: readonly string[]
  /** Names left out of the canonical query; a trailing `*` stands for any rest. */
  readonly ignoredParams: readonly string[]
  /** Its first group is the channel. */
  readonly channelPattern: RegExp | undefined
}

/** Builds the reader of identities. Names are compared as PHP would register them. */
export function createIdentify(options: IdentityOptions): (subrequest: Subrequest) => Identity {
  const tokens = new Set(options.tokenParams)
  const ignored = new Set(options.ignoredParams.filter((name) => !name.endsWith('*')))
  const ignoredPrefixes = options.ignoredParams
    .filter((name) => name.endsWith('*'))
    .map((name) => name.slice(0, -1))

  const isIgnored = (name: string): boolean =>
    ignored.has(name) || ignoredPrefixes.some((prefix) => name.startsWith(prefix))

  const targetOf = (path: string): Target => {
    const channel = options.channelPattern?.exec(path)?.[1]
    return channel === undefined ? { kind: 'path', path } : { kind: 'channel', channel, path }
  }

  return (subrequest) => {
    let credential = false
    let query = subrequest.query
    if (query !== '') {
      const pieces = piecesOf(query)
      const kept = pieces.filter((piece) => {
        const name = phpNameOf(piece)
        if (tokens.has(name)) credential = true
        return !isIgnored(name)
      })
      if (kept.length !== pieces.length) query = kept.join('&')
    }
    return { viewer: viewerOf(subrequest), target: targetOf(subrequest.path), query, credential }
  }
}

/** No part can hold a line break, so equal strings mean equal parts. */
function viewerOf(subrequest: Subrequest): string {
  return `${subrequest.address}\n${subrequest.userAgent}\n${subrequest.playbackId}\n${subrequest.origin}`
}

/** The verdict key: equal exactly when the identities are. */
export function verdictKeyOf(identity: Identity): string {
  const { target } = identity
  const place = target.kind === 'path' ? `path\n${target.path}` : `channel\n${target.channel}`
  return `${identity.viewer}\n${place}\n${identity.query}`
}
