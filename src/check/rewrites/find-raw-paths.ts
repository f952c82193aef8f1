import { type Finding, findingsOf } from '../finding.ts'
import { lastOf, placeOf } from '../nginx-conf/directive.ts'
import type { Location, Server } from '../nginx-conf/site-map.ts'

const { failed } = findingsOf('nginx-rewrites')

/** Finds protected locations that give an origin the client's own text, not the path that was asked about. */
export function findRawPaths({ locations, protectedLocations }: Server): Finding[] {
  const behind = protectedLocations.flatMap(({ directives }) => {
    const fallback = lastOf(directives, 'try_files')?.args.at(-1)
    return locations.filter(({ modifier, pattern }) => modifier === '@' && pattern === fallback)
  })
  return [...new Set([...protectedLocations, ...behind])].flatMap(findRawPath)
}

function findRawPath({ directives, told }: Location): Finding[] {
  const pass = lastOf(directives, 'proxy_pass')
  if (pass === undefined || !/\$\{?request_uri\b/.test(pass.args[0] ?? '')) return []
  const sentence = `${told}: the proxy_pass of ${placeOf(pass)} sends $request_uri, which the origin may read as another path than the one that was asked about`
  const remedy = 'take $request_uri out of proxy_pass: nginx sends the path and the query by itself'
  return [failed(sentence, remedy)]
}
