import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type ClientPrefixes, createClientOf, usualPrefixes } from '../address.ts'
import { phpNameOf, piecesOf, type Subrequest } from '../subrequest.ts'

/** What a session or a request is for: a channel, or else a path. */
export interface Target {
  /** What CHANNEL_PATTERN found in the path; undefined = nothing, the path itself counts. */
  readonly channel: string | undefined
  readonly path: string
  /**
   * What CREDENTIAL_PATTERN found in the path: each group on a line of its own, behind a line break; a space
   * for one that took no part. Undefined = it does not match.
   */
  readonly pathCredential: string | undefined
}

/** The patterns of the operator that say what a path holds. */
export interface PathPatterns {
  /** Its first group is the channel. */
  readonly channelPattern: RegExp | undefined
  /** Its groups together are a credential. */
  readonly credentialPattern: RegExp | undefined
}

/** The parts of a request that a verdict depends on. Equal viewer, target and query: the same verdict. */
export interface Identity extends Target {
  /** Client and profile: one viewer on one site. The client is its address, or the group around it. */
  readonly viewer: string
  /** The client's very address. */
  readonly address: string
  readonly profile: Profile
  /** As in the subrequest. */
  readonly cookieMode?: Subrequest['cookieMode'] | undefined
  /** The key of the session cookie; undefined = none, or it means nothing here. */
  readonly cookie?: string | undefined
  /** The client's query without the parameters that players vary, every other byte in order. */
  readonly query: string
  /**
   * The query has a parameter with one of the TOKEN_PARAM names, whatever its value, or the path has a
   * credential.
   */
  readonly credential: boolean
}

interface IdentityOptions extends PathPatterns {
  /** Names of the parameters that carry a credential. */
  readonly tokenParams: readonly string[]
  /** Names left out of the canonical query; a trailing `*` stands for any rest. */
  readonly ignoredParams: readonly string[]
  /** How many bits of an address tell viewers apart; the usual ones unless given. */
  readonly clientPrefixes?: ClientPrefixes
}

/** Builds the reader of identities. Names are compared as PHP would register them. */
export function createIdentify(options: IdentityOptions): (subrequest: Subrequest) => Identity {
  const { channelPattern, credentialPattern, clientPrefixes = usualPrefixes } = options
  const clientOf = createClientOf(clientPrefixes)
  const tokens = new Set(options.tokenParams)
  const ignored = new Set(options.ignoredParams.filter((name) => !name.endsWith('*')))
  const ignoredPrefixes = options.ignoredParams
    .filter((name) => name.endsWith('*'))
    .map((name) => name.slice(0, -1))
  const profileOf = createProfileOf()

  const isIgnored = (name: string): boolean =>
    ignored.has(name) || ignoredPrefixes.some((prefix) => name.startsWith(prefix))

  return (subrequest) => {
    const pathCredential = credentialPattern && pathCredentialOf(credentialPattern, subrequest.path)
    let credential = pathCredential !== undefined
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
    const profile = profileOf(subrequest)
    return {
      viewer: `${clientOf(subrequest.address)} ${profile.key}`,
      address: subrequest.address,
      profile,
      // An empty group is no channel: all paths with an empty group would share it.
      channel: channelPattern?.exec(subrequest.path)?.[1] || undefined,
      path: subrequest.path,
      pathCredential,
      query,
      credential,
      cookieMode: subrequest.cookieMode,
      cookie: subrequest.cookie,
    }
  }
}

/** No path holds a line break or a space, so groups are told apart, and an empty one from a missing one. */
function pathCredentialOf(pattern: RegExp, path: string): string | undefined {
  const found = pattern.exec(path)
  if (found === null) return undefined
  let credential = ''
  for (let group = 1; group < found.length; group++) credential += `\n${found[group] ?? ' '}`
  return credential
}

/** The client in an identity's `viewer`: an address, or the name of a group of addresses. */
export function clientIn(viewer: string): string {
  return viewer.slice(0, viewer.indexOf(' '))
}

/**
 * The verdict key: equal exactly when viewer, target and query are. No part but the path's credential can
 * hold a line break. A path tells its own.
 */
export function verdictKeyOf({ viewer, channel, path, pathCredential, query }: Identity): string {
  return channel === undefined
    ? `${viewer}\npath\n${path}\n${query}`
    : `${viewer}\nchannel\n${channel}\n${query}${pathCredential ?? ''}`
}

/** Site and player of a viewer. Sessions of the same player at the same origin share one object. */
export interface Profile {
  /**
   * Identifies the site or else the origin, and the other two texts: the first 22 base64url characters (132
   * bits) of their SHA-256.
   */
  readonly key: string
  /**
   * Of the request that the profile was read from: with a site, profiles of other origins have the same key.
   */
  readonly origin: string
  readonly site?: string
  readonly userAgent: string
  readonly playbackId: string
}

/**
 * Bounds of the profile cache: entries and bytes. A profile outside of it is hashed again, to the same key.
 */
const MAX_PROFILES = 10_000
const MAX_BYTES = 4 * 1_048_576

/** Builds the reader of profiles. No text can hold a line break, so different texts give different keys. */
function createProfileOf(): (subrequest: Subrequest) => Profile {
  const profiles = new LRUCache<string, Profile>({
    max: MAX_PROFILES,
    maxSize: MAX_BYTES,
    // The text is stored twice: as the key, and in parts.
    sizeCalculation: (_profile, text) => 2 * text.length,
  })
  return ({ origin, site, userAgent, playbackId }) => {
    const name = site ?? origin
    const player = `${userAgent}\n${playbackId}`
    const text = site === undefined ? `${name}\n${player}` : `${name}\n${origin}\n${player}`
    const known = profiles.get(text)
    if (known !== undefined) return known
    const key = hash('sha256', `${name}\n${player}`, 'base64url').slice(0, 22)
    const profile: Profile = {
      key,
      origin,
      ...(site === undefined ? {} : { site }),
      userAgent,
      playbackId,
    }
    profiles.set(text, profile)
    return profile
  }
}

/** What tells two sites apart in keys. */
export function siteOf({ site, origin }: Pick<Profile, 'site' | 'origin'>): string {
  return site ?? origin
}
