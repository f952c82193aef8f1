import { type Finding, findingsOf } from '../finding.ts'
import { lastOf } from '../nginx-conf/directive.ts'
import { locate } from '../nginx-conf/locate.ts'
import { AUTH, allLocations, type Location, type Server } from '../nginx-conf/site-map.ts'

const { warning, failed } = findingsOf('nginx-locations')
const INCLUDE = 'include location.conf in it'
/** Words that are common in the paths of media. */
const mediaName =
  /(?:^|[/(|])(?:live|vod|hls|dash|streams?|channels?|iptv|catchup|archive|timeshift|dvr|movies?|films?)(?:[/)|]|$)/i
const mediaFiles = ['index.m3u8', '1.ts', 'manifest.mpd', '1.m4s', 'film.mp4']

/** Finds media that is open beside what is protected in this server. */
export function findOpenMedia(server: Server): Finding[] {
  return [...checkTaken(server), ...checkNeighbours(server)]
}

/** Finds regular expressions that take files from a protected prefix: they count more than the prefix. */
function checkTaken({ locations, protectedLocations }: Server): Finding[] {
  const findings = new Map<string, Finding>()
  for (const { modifier, pattern } of protectedLocations) {
    if (modifier === '=' || modifier.startsWith('~')) continue
    for (const file of mediaFiles) {
      const taker = locate(locations, `${pattern.replace(/\/$/, '')}/alta-auth-check/${file}`)
      // A longer prefix is a decision of the operator. The next check looks at its name.
      if (taker === undefined || !taker.modifier.startsWith('~')) continue
      if (taker.asks === AUTH || isClosed(taker) || findings.has(taker.told)) continue
      const sentence = `${taker.told} serves ${pattern}…/${file} without asking: it counts more than the prefix`
      findings.set(taker.told, failed(sentence, `${INCLUDE}, or write location ^~ ${pattern}`))
    }
  }
  return [...findings.values()]
}

function checkNeighbours({ locations }: Server): Finding[] {
  return allLocations(locations)
    .filter(({ modifier, pattern }) => modifier !== '@' && mediaName.test(pattern))
    .filter((one) => one.asks === undefined && !isClosed(one) && !isOpenOnPurpose(one))
    .map(({ told }) =>
      warning(`${told} sounds like media, but is open`, `${INCLUDE} if viewers must be allowed there`),
    )
}

function isOpenOnPurpose({ directives }: Location): boolean {
  return lastOf(directives, 'auth_request')?.args[0] === 'off'
}

/** Whether a location serves no file itself. */
export function isClosed({ directives }: Location): boolean {
  return directives.some(
    ({ name, args }) =>
      name === 'internal' ||
      name === 'return' ||
      name === 'rewrite' ||
      (name === 'deny' && args[0] === 'all'),
  )
}
