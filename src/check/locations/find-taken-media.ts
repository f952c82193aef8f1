import { type Finding, findingsOf } from '../finding.ts'
import { locate } from '../nginx-conf/locate.ts'
import { INVENTED } from '../nginx-conf/media-samples.ts'
import { servesOpenly } from '../nginx-conf/open.ts'
import type { Server } from '../nginx-conf/site-map.ts'

const { failed } = findingsOf('nginx-locations')
const files = ['index.m3u8', '1.ts', 'manifest.mpd', '1.m4s', 'film.mp4', 'enc.key']

/** Finds regular expressions that take files from a protected prefix: they count more than the prefix. */
export function findTakenMedia({ locations, protectedLocations }: Server): Finding[] {
  const findings = new Map<string, Finding>()
  for (const { modifier, pattern } of protectedLocations) {
    if (modifier === '=' || modifier.startsWith('~')) continue
    for (const file of files) {
      const taker = locate(locations, `${pattern.replace(/\/$/, '')}/${INVENTED}/${file}`)
      // A longer prefix is a decision of the operator. Another rule looks at its name.
      if (taker === undefined || !taker.modifier.startsWith('~')) continue
      if (!servesOpenly(taker) || findings.has(taker.told)) continue
      const sentence = `${taker.told} serves ${pattern}…/${file} without asking: it counts more than the prefix`
      const remedy = `include location.conf in it, or write location ^~ ${pattern}`
      findings.set(taker.told, failed(sentence, remedy))
    }
  }
  return [...findings.values()]
}
