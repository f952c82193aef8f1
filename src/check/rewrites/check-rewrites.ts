import { type Finding, findingsOf } from '../finding.ts'
import type { SiteMap } from '../nginx-conf/site-map.ts'
import { findCaughtQuestions } from './find-caught-questions.ts'
import { findEarlyBreaks } from './find-early-breaks.ts'
import { findLostPaths } from './find-lost-paths.ts'
import { findRawPaths } from './find-raw-paths.ts'

const { ok } = findingsOf('nginx-rewrites')

/** Checks that the gate is asked, about the path of the client, and that this path is what is served. */
export function checkRewrites({ servers, asking }: SiteMap): readonly Finding[] {
  const locations = servers.flatMap(({ protectedLocations }) => protectedLocations)
  const findings = [
    ...asking.flatMap(findCaughtQuestions),
    ...locations.flatMap(findEarlyBreaks),
    ...asking.flatMap(findLostPaths),
    ...servers.flatMap(findRawPaths),
  ]
  return findings.length > 0 ? findings : [ok('none that gets in the way')]
}
