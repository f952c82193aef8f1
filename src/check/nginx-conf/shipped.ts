import { readFileSync } from 'node:fs'
import { type Directive, named, textOf } from './directive.ts'
import { readDirectives } from './read-directives.ts'
import { AUTH } from './site-map.ts'

export type ShippedFile = 'http.conf' | 'server.conf' | 'location.conf' | 'cache-http.conf'

/** The directives of a file that comes with this version; nginx/ lies beside dist/ and src/ alike. */
export function readShipped(file: ShippedFile): Directive[] {
  return readDirectives(
    readFileSync(new URL(`../../../nginx/alta-auth/${file}`, import.meta.url), 'utf8'),
    file,
  )
}

/** What stands in the shipped `location = /_alta_auth`. */
export function shippedAuth(): readonly Directive[] {
  return named(readShipped('server.conf'), 'location').find(({ args }) => args.includes(AUTH))?.block ?? []
}

/** Those of `expected` that are not among `actual` as they are. */
export function missingFrom(actual: readonly Directive[], expected: readonly Directive[]): Directive[] {
  const there = new Set(actual.map(textOf))
  return expected.filter((directive) => !there.has(textOf(directive)))
}
