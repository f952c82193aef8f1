import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, placeOf } from '../nginx-conf/directive.ts'
import { testPattern } from '../nginx-conf/locate.ts'
import { AUTH, type Server } from '../nginx-conf/site-map.ts'

const { failed } = findingsOf('nginx-rewrites')

/** Finds lines at server level that catch the question to the gate: they run for the subrequest, too. */
export function findCaughtQuestions({ directives, told }: Server): Finding[] {
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
