import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, lastOf, placeOf } from '../nginx-conf/directive.ts'
import { AUTH, type Location, type Server } from '../nginx-conf/site-map.ts'

const { warning } = findingsOf('nginx-locations')

/** Finds an `auth_request` of the operator's that location.conf replaces: nginx asks only the innermost. */
export function findReplacedQuestions(http: readonly Directive[], server: Server): Finding[] {
  const inherited = ofOthers(server.directives) ?? ofOthers(http)
  const replaced = new Map<Directive, Location>()
  const look = (locations: readonly Location[], from: Directive | undefined): void => {
    for (const location of locations) {
      const own = lastOf(location.directives, 'auth_request')
      const isOurs = own?.args[0] === AUTH
      if (isOurs && from !== undefined && !replaced.has(from)) replaced.set(from, location)
      look(location.children, own === undefined || isOurs ? from : ofOthers([own]))
    }
  }
  look(server.locations, inherited)
  return [...replaced].map(([question, { told }]) => {
    const asked = `auth_request ${question.args[0]} (${placeOf(question)})`
    const remedy = `let the backend decide that, too, or check it in nginx by other means; then take the line away, or write auth_request off; where it stands`
    return warning(`${told} does not ask ${asked} any more: location.conf replaces it there`, remedy)
  })
}

function ofOthers(directives: readonly Directive[]): Directive | undefined {
  const last = lastOf(directives, 'auth_request')
  return last === undefined || last.args[0] === AUTH || last.args[0] === 'off' ? undefined : last
}
