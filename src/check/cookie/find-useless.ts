import { type CookieMode, cookieModes } from '../../subrequest.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { type Directive, named, placeOf } from '../nginx-conf/directive.ts'
import { allLocations, type Location, type SiteMap } from '../nginx-conf/site-map.ts'

const { warning, failed } = findingsOf('nginx-cookie')
const MODE = '$alta_auth_cookie_mode'
/** Lines of a `geo` that give no value. */
const noValue = /^(?:delete|proxy|proxy_recursive|ranges|include)$/

interface Given {
  readonly line: Directive
  readonly value: string
}

/**
 * Finds a cookie that is wanted in one place alone, of nginx and the settings, and modes that the gate does
 * not know.
 * @param located the locations that set it
 */
export function findUseless(
  map: SiteMap,
  sessionCookie: CookieMode,
  located: readonly Pick<Location, 'told'>[],
): Finding[] {
  const given = modesIn(map)
  const wanting = given.find(({ value }) => value !== '' && value !== 'off')
  const [first] = located
  if (first !== undefined) {
    if (sessionCookie !== 'off' || wanting !== undefined) return given.flatMap(judge)
    const sentence = `${first.told} includes cookie.conf, but SESSION_COOKIE=off: it sets no cookie`
    return [warning(sentence, 'SESSION_COOKIE=on, or leave cookie.conf out')]
  }
  const remedy = 'include cookie.conf behind location.conf in each location that browsers play from'
  if (sessionCookie === 'strict') {
    const sentence =
      'SESSION_COOKIE=strict, but no location includes cookie.conf: whoever shares address and player with a viewer rides on their session'
    return [failed(sentence, remedy)]
  }
  if (sessionCookie === 'on')
    return [warning('SESSION_COOKIE=on, but no location includes cookie.conf: no cookie is set', remedy)]
  if (wanting === undefined) return []
  const sentence = `${placeOf(wanting.line)} gives ${MODE} a value, but no location includes cookie.conf: no cookie is set`
  return [warning(sentence, remedy)]
}

/** Whether the operator decides for each request what a cookie means. */
export function choosesMode(map: SiteMap): boolean {
  return modesIn(map).length > 0
}

function judge({ line, value }: Given): Finding[] {
  // What a variable holds is not known.
  if (value === '' || value.includes('$') || cookieModes.some((mode) => mode === value)) return []
  const sentence = `${placeOf(line)} gives ${MODE} the value ${value}, which is none of off, on and strict: the gate refuses each such request (403)`
  return [failed(sentence, 'write off, on or strict there, or "" for what SESSION_COOKIE says')]
}

function modesIn({ http, servers }: SiteMap): Given[] {
  const blocks = ['map', 'geo', 'split_clients'].flatMap((name) =>
    named(http, name).filter(({ args }) => args.at(-1) === MODE),
  )
  const ofBlocks = blocks.flatMap(({ block = [] }) =>
    block.flatMap((line) =>
      noValue.test(line.name) || line.args[0] === undefined ? [] : [{ line, value: line.args[0] }],
    ),
  )
  const levels = servers.flatMap(({ directives, locations }) => [
    directives,
    ...allLocations(locations).map((one) => one.directives),
  ])
  const lines = levels.flatMap((level) => [
    ...level,
    ...named(level, 'if').flatMap(({ block = [] }) => block),
  ])
  const ofSets = named(lines, 'set')
    .filter(({ args }) => args[0] === MODE)
    .map((line) => ({ line, value: line.args[1] ?? '' }))
  return [...ofBlocks, ...ofSets]
}
