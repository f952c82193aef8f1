import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, placeOf } from '../nginx-conf/directive.ts'
import { testPattern } from '../nginx-conf/locate.ts'
import { AUTH, type Location, type Server, type SiteMap } from '../nginx-conf/site-map.ts'

const { ok, failed } = findingsOf('nginx-rewrites')

/** Checks for rewrites that redirect the question, or keep the path from being captured. */
export function checkRewrites({ servers, asking }: SiteMap): readonly Finding[] {
  const locations = servers.flatMap(({ protectedLocations }) => protectedLocations)
  const findings = [...asking.flatMap(checkServer), ...locations.flatMap(checkLocation)]
  return findings.length > 0 ? findings : [ok('none that gets in the way')]
}

/** Lines at server level run for the subrequest, too. */
function checkServer({ directives, told }: Server): Finding[] {
  const catches = directives.find(catchesAuth)
  if (catches === undefined) return []
  const remedy =
    catches.name === 'rewrite'
      ? `exempt it: rewrite ^/(?!${AUTH.slice(1)}$)(.*)$ …, or put the line into a location`
      : 'put it into a location: at server level it answers in place of the gate'
  const sentence = `${told}: the ${catches.name} of ${placeOf(catches)} catches ${AUTH}, so the gate is never asked`
  return [failed(sentence, remedy)]
}

function catchesAuth(directive: Directive): boolean {
  const { name, args, block = [] } = directive
  if (name === 'return') return true
  if (name === 'rewrite') return testPattern(args[0] ?? '', AUTH, false)
  return name === 'if' && isTrueForAuth(args) && block.some(catchesAuth)
}

const noFile = /^\(\s*!-[fdex] \$(?:request_filename|document_root\$(?:document_)?uri)\s*\)$/

/** Whether the condition is true for the subrequest, whose path is no file and whose query is empty. */
function isTrueForAuth(args: readonly string[]): boolean {
  const condition = args.join(' ')
  if (noFile.test(condition)) return true
  const [, variable = '', operator = '', value = ''] =
    /^\(\s*(\S+)\s+(!?~\*?|!?=)\s+(.*?)\s*\)$/.exec(condition) ?? []
  const seen = seenByAuth(variable)
  if (seen === undefined) return false
  const isEqual = operator.includes('~') ? testPattern(value, seen, operator.endsWith('*')) : value === seen
  return operator.startsWith('!') ? !isEqual : isEqual
}

function seenByAuth(variable: string): string | undefined {
  if (/^\$(?:document_)?uri$/.test(variable)) return AUTH
  return /^\$(?:args|query_string|is_args|arg_\w+)$/.test(variable) ? '' : undefined
}

/** The lines of location.conf run in their order. A `break` before them ends the phase. */
function checkLocation({ directives, told }: Location): Finding[] {
  const include = directives.findIndex(({ name, args }) => name === 'set' && args[0] === '$alta_auth_path')
  const early = directives.slice(0, Math.max(0, include)).find(breaks)
  if (early === undefined) return []
  const remedy = 'write the rewrite without break, or put it into a location of its own'
  const sentence = `${told}: a break (${placeOf(early)}) stands before location.conf, so every viewer is refused (bad-request)`
  return [failed(sentence, remedy)]
}

function breaks({ name, args, block = [] }: Directive): boolean {
  return (
    name === 'break' || (name === 'rewrite' && args[2] === 'break') || (name === 'if' && block.some(breaks))
  )
}
