import { statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named, placeOf } from '../nginx-conf/directive.ts'
import type { SiteMap } from '../nginx-conf/site-map.ts'

const { warning } = findingsOf('nginx-log')
/**
 * At these levels nginx logs whole requests that fail, with their query: no such file, no answer of the gate.
 */
const TALKATIVE = new Set(['error', 'warn', 'notice', 'info', 'debug'])

/** Checks that no error log holds tokens of viewers and is readable for every user of the machine. */
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

/** The `error_log` lines that count: those of the innermost level that has any. */
function logsOf(levels: readonly (readonly Directive[])[]): readonly Directive[] {
  return levels.map((level) => named(level, 'error_log')).find((found) => found.length > 0) ?? []
}

function isTalkative({ args: [, level = 'error'] }: Directive): boolean {
  return TALKATIVE.has(level)
}

/** Whether everybody may read the file and its folders. A device is not a log that keeps lines. */
function isOpenToAll(file: string): boolean {
  try {
    const seen = statSync(file)
    return isAbsolute(file) && seen.isFile() && (seen.mode & 0o004) !== 0 && isWayOpen(dirname(file))
  } catch {
    return false // this user may not read it either
  }
}

function isWayOpen(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false
  return folder === dirname(folder) || isWayOpen(dirname(folder))
}
