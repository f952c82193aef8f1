import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

test('the newest section of CHANGELOG.md that has a date is that of the version of the package; all dates are in order', () => {
  const at = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
  const sections = [...at('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading)
  assert.equal(sections[0], 'Unreleased')
  const dated = sections.slice(1).map((heading) => heading.split(' - '))
  assert.equal(dated[0]?.[0], (JSON.parse(at('package.json')) as { version: string }).version)
  const dates = dated.map(([, date = '']) => date)
  for (const date of dates) assert.match(date, /^\d{4}-\d\d-\d\d$/)
  assert.deepEqual(dates, dates.toSorted().reverse())
})
