import type { Location } from './site-map.ts'

/**
 * The location that nginx would choose for this path. Regular expressions are matched by JavaScript, not by
 * PCRE.
 */
export function locate(locations: readonly Location[], path: string): Location | undefined {
  const exact = locations.find(({ modifier, pattern }) => modifier === '=' && pattern === path)
  if (exact !== undefined) return exact
  let prefix: Location | undefined
  for (const one of locations) {
    const fits = (one.modifier === '' || one.modifier === '^~') && path.startsWith(one.pattern)
    if (fits && one.pattern.length > (prefix?.pattern.length ?? -1)) prefix = one
  }
  const inner = prefix === undefined ? undefined : locate(prefix.children, path)
  if (inner !== undefined && inner.modifier !== '') return inner
  if (prefix?.modifier !== '^~') {
    const taker = locations.find(({ regex }) => regex?.test(path) === true)
    if (taker !== undefined) return locate(taker.children, path) ?? taker
  }
  return inner ?? prefix
}

/** A regular expression of nginx's; undefined when JavaScript cannot read it. */
export function compile(pattern: string, isCaseless: boolean): RegExp | undefined {
  try {
    return new RegExp(pattern, isCaseless ? 'i' : '')
  } catch {
    return undefined
  }
}

/** Whether a pattern matches; false when JavaScript cannot read it. */
export function testPattern(pattern: string, text: string, isCaseless: boolean): boolean {
  return compile(pattern, isCaseless)?.test(text) === true
}
