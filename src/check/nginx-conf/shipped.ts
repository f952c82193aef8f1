import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../package.ts'
import { type Directive, named, textOf } from './directive.ts'
import { readDirectives } from './read-directives.ts'
import { AUTH } from './site-map.ts'

/** A file that comes with this version, below nginx/alta-auth. */
type ShippedFile =
  | 'http.conf'
  | 'server.conf'
  | 'location.conf'
  | 'cache-http.conf'
  | 'cookie.conf'
  | 'cors.conf'

/** The directives of a file that comes with this version. */
export function readShipped(file: ShippedFile): Directive[] {
  return readDirectives(readFileSync(join(packageFolder, 'nginx/alta-auth', file), 'utf8'), file)
}

/** The directives of the shipped `location = /_alta_auth`. */
export function shippedAuth(): readonly Directive[] {
  return named(readShipped('server.conf'), 'location').find(({ args }) => args.includes(AUTH))?.block ?? []
}

/** The directives of `expected` that `actual` does not hold unchanged. */
export function missingFrom(actual: readonly Directive[], expected: readonly Directive[]): Directive[] {
  const there = new Set(actual.map(textOf))
  return expected.filter((directive) => !there.has(textOf(directive)))
}
