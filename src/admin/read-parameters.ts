import type { Request } from 'express'
import { RequestMistake } from './request-mistake.ts'

/**
 * The query parameters of a request. Each may stand there once, and must not be empty unless `mayBeEmpty`
 * names it: a parameter that a script left empty by mistake must not mean "all".
 * @throws {RequestMistake} also for a parameter that `names` does not hold
 */
export function readParameters<Name extends string>(
  request: Request,
  names: readonly Name[],
  mayBeEmpty: readonly Name[] = [],
): Readonly<Partial<Record<Name, string>>> {
  const found: Partial<Record<Name, string>> = {}
  const isKnown = (name: string): name is Name => (names as readonly string[]).includes(name)
  for (const [name, value] of new URLSearchParams(queryOf(request.originalUrl))) {
    if (!isKnown(name)) {
      const known = names.length === 0 ? 'takes none' : `takes ${names.join(', ')}`
      throw new RequestMistake(400, `${request.path} has no parameter "${name}": it ${known}`)
    }
    if (found[name] !== undefined) throw new RequestMistake(400, `"${name}" is given twice; give it once`)
    if (value === '' && !mayBeEmpty.includes(name))
      throw new RequestMistake(400, `"${name}" is empty; give it a value or leave it out`)
    found[name] = value
  }
  return found
}

/**
 * Checks the percent-encoding of the URL.
 * @throws {RequestMistake} when two hexadecimal digits do not follow a percent sign, or the bytes are not
 * UTF-8
 */
export function assertDecodable(request: Request): void {
  try {
    decodeURIComponent(request.originalUrl)
  } catch {
    throw new RequestMistake(400, 'the URL is not percent-encoded right: write a percent sign itself as %25')
  }
}

function queryOf(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? '' : url.slice(mark + 1)
}
