import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, placeOf } from '../nginx-conf/directive.ts'
import type { Location } from '../nginx-conf/site-map.ts'

const { failed } = findingsOf('nginx-rewrites')

/** Finds a `break` before the lines of location.conf: it ends the phase in which they run. */
export function findEarlyBreaks({ directives, told }: Location): Finding[] {
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
