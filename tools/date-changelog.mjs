const UNRELEASED = '## Unreleased\n'

/**
 * Turns "Unreleased" of the changelog into a section of this version. An empty "Unreleased" stays above it.
 * @param {string} text
 * @param {string} version
 * @param {string} date `2026-11-28`
 * @returns {string | undefined} undefined when nothing is unreleased
 */
export function dateChangelog(text, version, date) {
  const [head = '', rest] = text.split(UNRELEASED)
  if (rest === undefined) return undefined
  const [changes = ''] = rest.split(/^## /m)
  if (changes.trim() === '') return undefined
  return `${head}${UNRELEASED}\n## ${version} - ${date}\n${rest}`
}
