import { userAgents } from './user-agents.ts'

/** The site's host. */
export const HOST = 'live.example.com'
/** How many channels the site has. */
export const CHANNELS = 50
/** Segments in the directory of each channel. A viewer asks for all of them. */
export const SEGMENTS = 3
const VIEWERS = 500
const INTRUDERS = 2000
/** As long as real tokens are. */
export const GOOD_TOKEN = 'good-5f1c9a7e42d08b36'
export const BAD_TOKEN = 'bad-5f1c9a7e42d08b36'

/** A viewer's request, as its player sends it. nginx takes the address from a header (realip). */
export interface ViewerRequest {
  readonly path: string
  readonly userAgent: string
  readonly address: string
  readonly host?: string
}

/** The User-Agent of viewer number `number`. Many viewers share one. */
export function userAgentOf(number: number): string {
  return userAgents[number % userAgents.length] ?? ''
}

/** The path of a channel's playlist, with a token. */
export function playlist(channel: number, token: string): string {
  return `/live/ch${channel}/index.m3u8?token=${token}`
}

/**
 * What the viewers of the hits ask for again and again: playlists with their tokens, then segments without.
 */
export function audience(): { readonly playlists: ViewerRequest[]; readonly segments: ViewerRequest[] } {
  const playlists: ViewerRequest[] = []
  const segments: ViewerRequest[] = []
  for (let viewer = 0; viewer < VIEWERS; viewer++) {
    const channel = viewer % CHANNELS
    const who = { userAgent: userAgentOf(viewer), address: `172.16.${viewer >> 8}.${viewer & 255}` }
    playlists.push({ path: playlist(channel, `${GOOD_TOKEN}${viewer}`), ...who })
    for (let segment = 0; segment < SEGMENTS; segment++)
      segments.push({ path: `/live/ch${channel}/seg${segment}.ts`, ...who })
  }
  return { playlists, segments }
}

/** Distinct viewers, each with a bad token of its own, who try again and again. */
export function intruders(): ViewerRequest[] {
  return Array.from({ length: INTRUDERS }, (_, intruder) => ({
    path: playlist(intruder % CHANNELS, `${BAD_TOKEN}${intruder}`),
    userAgent: userAgentOf(intruder),
    address: `172.17.${intruder >> 8}.${intruder & 255}`,
  }))
}

/** The bytes of a request. */
export function wireOf({ path, userAgent, address, host = HOST }: ViewerRequest): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${userAgent}\r\nX-Forwarded-For: ${address}\r\n\r\n`
}
