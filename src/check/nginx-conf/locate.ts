import type { Location } from './site-map.ts'

/**
 * The location that nginx would choose for this path. Regular expressions are matched by JavaScript, not by
 * PCRE.
 */
export function locate(locations: readonly Location[], path: string): Location | undefined {
  const exact = locations.find(({ modifier, pattern }) => modifier === '=' && pattern === path)
  if (exact !== undefined) return exact
  const prefix = locations
    .filter(({ modifier, pattern }) => (modifier === '' || modifier === '^~') && path.startsWith(pattern))
    .sort((a, b) => b.pattern.length - a.pattern.length)[0]
  const inner = prefix === undefined ? undefined : locate(prefix.children, path)
  if (inner !== undefined && inner.modifier !== '') return inner
  if (prefix?.modifier !== '^~') {
    const regex = locations.find((location) => matches(location, path))
    if (regex !== undefined) return locate(regex.children, path) ?? regex
  }
  return inner ?? prefix
}

function matches({ modifier, pattern }: Location, path: string): boolean {
  if (modifier !== '~' && modifier !== '~*') return false
  return testPattern(pattern, path, modifier === '~*')
}

/** Whether a pattern matches; false when JavaScript cannot read it. */
export function testPattern(pattern: string, text: string, isCaseless: boolean): boolean {
  try {
    return new RegExp(pattern, isCaseless ? 'i' : '').test(text)
  } catch {
    return false
  }
}
