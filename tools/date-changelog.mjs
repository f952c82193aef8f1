const UNRELEASED = '## Unreleased\n'

/**
 * The changelog with "Unreleased" made a section of this version; an empty "Unreleased" stays above it.
 * @param {string} text
 * @param {string} version
 * @param {string} date `2026-11-28`
 * @returns {string | undefined} undefined where nothing is unreleased
 */
export function dateChangelog(text, version, date) {
  const [head = '', rest] = text.split(UNRELEASED)
  if (rest === undefined) return undefined
  const [changes = ''] = rest.split(/^## /m)
  if (changes.trim() === '') return undefined
  return `${head}${UNRELEASED}\n## ${version} - ${date}\n${rest}`
}
