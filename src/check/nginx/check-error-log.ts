import { statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named, placeOf } from '../nginx-conf/directive.ts'
import type { SiteMap } from '../nginx-conf/site-map.ts'

const { warning } = findingsOf('nginx-log')
/** At these levels nginx writes whole requests that fail, query and all: not found, no answer of the gate. */
const TALKATIVE = new Set(['error', 'warn', 'notice', 'info', 'debug'])

/** Whether tokens of viewers stand in an error log that every user of the machine may read. */
export function checkErrorLog({ main, http, servers }: SiteMap): readonly Finding[] {
  const written = servers.flatMap(({ directives, protectedLocations, auth }) =>
    [...protectedLocations, ...(auth === undefined ? [] : [auth])].flatMap((location) =>
      logsOf([location.directives, directives, http, main]),
    ),
  )
  return [...new Set(written)].filter(isTalkative).flatMap((directive) => {
    const [file = ''] = directive.args
    if (!isOpenToAll(file)) return []
    const sentence = `every user may read ${file} (${placeOf(directive)}), where requests that fail stand with their tokens`
    const remedy = `chmod o-r ${file}, and create it so where it is rotated; see docs/access-log.md`
    return [warning(sentence, remedy)]
  })
}

/** What counts is said at the innermost level that says anything. */
function logsOf(levels: readonly (readonly Directive[])[]): readonly Directive[] {
  return levels.map((level) => named(level, 'error_log')).find((found) => found.length > 0) ?? []
}

function isTalkative({ args: [, level = 'error'] }: Directive): boolean {
  return TALKATIVE.has(level)
}

/** Whether everybody may read a file, and go the way to it. What is no file keeps nothing. */
function isOpenToAll(file: string): boolean {
  try {
    const seen = statSync(file)
    return isAbsolute(file) && seen.isFile() && (seen.mode & 0o004) !== 0 && isWayOpen(dirname(file))
  } catch {
    return false // nor may this user look
  }
}

function isWayOpen(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false
  return folder === dirname(folder) || isWayOpen(dirname(folder))
}
