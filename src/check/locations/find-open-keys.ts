import { documentRoots } from '../channels/document-roots.ts'
import { readKeys } from '../channels/read-keys.ts'
import { readMedia } from '../channels/read-media.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { named } from '../nginx-conf/directive.ts'
import { locate } from '../nginx-conf/locate.ts'
import { isOpen } from '../nginx-conf/open.ts'
import type { Location, Server, SiteMap } from '../nginx-conf/site-map.ts'

const { failed } = findingsOf('nginx-locations')
/** The folders that are looked at. Each takes time. */
const MOST_ROOTS = 20
/** A program or another server may look itself whom it gives a key. */
const passes = /_pass$|_by_lua/

/** Finds AES keys that protected playlists name, and that nginx serves openly from its files. */
export function findOpenKeys(map: SiteMap): Finding[] {
  const findings = new Map<string, Finding>()
  for (const { folder, prefix, server, location } of documentRoots(map).slice(0, MOST_ROOTS)) {
    for (const { file, keys } of readKeys(folder, readMedia(folder))) {
      const playlist = `${prefix}${file}`
      if (locate(server.locations, playlist) !== location) continue
      for (const key of keys) {
        const opener = openerOf(map, server, playlist, key)
        if (opener === undefined || findings.has(opener.told)) continue
        const sentence = `${opener.told} serves keys openly: ${playlist} names ${opener.path}`
        const remedy =
          'include location.conf there, too: with the key, whoever has the segments can watch them'
        findings.set(opener.told, failed(sentence, remedy))
      }
    }
  }
  return [...findings.values()]
}

interface Opener {
  readonly told: string
  readonly path: string
}

function openerOf({ servers }: SiteMap, site: Server, playlist: string, key: string): Opener | undefined {
  const here = 'http://alta-auth-check.invalid'
  if (!URL.canParse(key, here)) return undefined
  const url = new URL(key, `${here}${playlist}`)
  const server = url.origin === here ? site : servers.find((one) => namesOf(one).includes(url.hostname))
  if (server === undefined || !/^https?:$/.test(url.protocol)) return undefined
  const path = decode(url.pathname)
  const taker: Location | Server = locate(server.locations, path) ?? server
  const serves =
    isOpen(taker) && taker.files !== undefined && !taker.directives.some(({ name }) => passes.test(name))
  return serves ? { told: taker.told, path } : undefined
}

function namesOf({ directives }: Server): string[] {
  return named(directives, 'server_name').flatMap(({ args }) => args)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
