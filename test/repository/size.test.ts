import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { settingNames } from '../../src/config/settings-table.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Size {
  /** For documents: words. */
  readonly lines: number
  readonly files: number
}

/**
 * How large each part may be. Who makes a part smaller lowers its budget to what is left; who needs more room
 * takes it from somewhere else.
 */
const budgets: Readonly<Record<string, Size>> = {
  'src: limit': { lines: 1_546, files: 14 },
  'src: state, fleet': { lines: 5_793, files: 42 },
  'src: backend, client': { lines: 1_651, files: 16 },
  'src: check': { lines: 4_985, files: 88 },
  'src: admin, explain': { lines: 2_310, files: 32 },
  'src: decision, session, service, gate': { lines: 4_496, files: 42 },
  'src: config': { lines: 1_375, files: 18 },
  'src: the rest': { lines: 2_815, files: 42 },
  src: { lines: 24_971, files: 294 },
  test: { lines: 55_464, files: 505 },
  bench: { lines: 5_310, files: 94 },
  'docs, in words': { lines: 40_777, files: 19 },
}
const MOST_SETTINGS = 41
const MOST_LINES_IN_A_FILE = 273

const measured = new Map<string, Size>()
const source = codeBelow('src')
for (const { file, lines } of source) {
  const room = file.includes('/') ? (file.split('/')[0] ?? '') : ''
  const part = Object.keys(budgets).find(
    (name) => name.startsWith('src: ') && name.slice(5).split(', ').includes(room),
  )
  for (const name of [part ?? 'src: the rest', 'src']) add(name, lines)
}
for (const part of ['test', 'bench']) for (const { lines } of codeBelow(part)) add(part, lines)
for (const name of readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')))
  add(
    'docs, in words',
    readFileSync(join(root, 'docs', name), 'utf8')
      .split(/\s+/)
      .filter(Boolean).length,
  )

/** The files of code below a folder, named from there. */
function codeBelow(folder: string): { readonly file: string; readonly lines: number }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|mjs|js)$/.test(file))
    .map((file) => ({ file, lines: readFileSync(join(root, folder, file), 'utf8').split('\n').length - 1 }))
}

function add(part: string, lines: number): void {
  const before = measured.get(part) ?? { lines: 0, files: 0 }
  measured.set(part, { lines: before.lines + lines, files: before.files + 1 })
}

describe('the house is no larger than its budget:', () => {
  test('the table', (t) => {
    const rows = Object.entries(budgets).map(([part, budget]) => {
      const { lines, files } = measured.get(part) ?? { lines: 0, files: 0 }
      const columns = [lines, budget.lines, files, budget.files].map((figure) =>
        figure.toLocaleString('en').padStart(8),
      )
      return `${part.padEnd(40)}${columns.join('')}`
    })
    t.diagnostic(`${'part'.padEnd(40)}   lines  budget   files  budget`)
    for (const row of rows) t.diagnostic(row)
    t.diagnostic(
      `${'settings'.padEnd(40)}${String(settingNames.length).padStart(8)}${String(MOST_SETTINGS).padStart(8)}`,
    )
  })

  for (const [part, budget] of Object.entries(budgets)) {
    test(part, () => {
      const size = measured.get(part) ?? { lines: 0, files: 0 }
      assert.ok(size.lines > 0, `nothing was counted for ${part}`)
      assert.ok(size.lines <= budget.lines, `${size.lines} are more than ${budget.lines}`)
      assert.ok(size.files <= budget.files, `${size.files} files are more than ${budget.files}`)
    })
  }

  test('settings', () => {
    assert.ok(settingNames.length <= MOST_SETTINGS, `${settingNames.length} are more than ${MOST_SETTINGS}`)
  })

  test('a file of src can be read in one go', () => {
    const long = source.filter(({ lines }) => lines > MOST_LINES_IN_A_FILE)
    assert.deepEqual(long, [])
  })
})
