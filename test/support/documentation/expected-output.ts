import assert from 'node:assert/strict'

/** Values that differ each time, and the names that replace them. */
const varying: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/(?<=\bsession=|X-Session-Id: |"session":")[\w-]{22}(?!\w)/g, 'SESSION'],
  [/\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]/g, '[TIME]'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z/g, 'TIME'],
  [/\b\d+ ms\b/g, 'NUMBER ms'],
  [/\b\d+(?:\.\d+)? s\b/g, 'NUMBER s'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, 'DATE'],
  [/\bPHP\/[\d.]+/g, 'PHP'],
  [/(?<=" (?:200|403) )\d+(?= verdict=)/g, 'BYTES'],
  [/(?<=\brequest=|"request":")[0-9a-f]{32}(?!\w)/g, 'REQUEST'],
  // The number of remembered denies falls with time.
  [/(?<="(?:ms|seconds|denied)":)\d+(?:\.\d+)?/g, 'NUMBER'],
  // Columns are as wide as the longest value, and a port of five digits makes that longer.
  [/ {2,}(?=# )/g, '  '],
]

/**
 * Compares the output on a page with what was printed. Ids, times and sizes may differ.
 * @throws AssertionError
 */
export function assertOutput(language: string, shown: string, printed: string, place: string): void {
  if (language === 'json') assert.equal(oneLine(printed), oneLine(shown), place)
  else assert.equal(normalised(printed), normalised(shown), place)
}

function oneLine(json: string): string {
  return normalised(JSON.stringify(JSON.parse(json)))
}

export function normalised(text: string): string {
  let result = text.replaceAll('\r', '').trimEnd()
  for (const [pattern, name] of varying) result = result.replace(pattern, name)
  return result
}
