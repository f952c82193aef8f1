import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { contenders } from './contenders/contenders.ts'
import { type Figures, isContest } from './figures.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './read-options.ts'
import { resultsChart } from './results-chart.ts'
import { resultsPage } from './results-page.ts'
import { writeCosts } from './scale/costs.ts'
import { type ScaleFigures, scaleParts } from './scale/figures.ts'
import { needsTable } from './scale/needs-table.ts'
import { costParts } from './scale/scale-tables.ts'
import { memoryAdvice, sizingAdvice, summaryTable } from './summary.ts'

const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/**
 * Writes the bench's own page and chart, and its figures into the performance page. Returns the files' names.
 */
export function writeDocuments(figures: Figures, options: BenchOptions): readonly string[] {
  const scale = figures.scale === undefined ? [] : writeScale(figures.scale)
  return isContest(figures) ? [...scale, ...writeContest(figures, options)] : scale
}

/** Writes what gates with a Valkey cost, and what audiences need by that. */
function writeScale(figures: ScaleFigures): readonly string[] {
  const costs = writeCosts(figures)
  if (scaleParts.some((part) => costs.measured[part] === undefined)) return ['bench/scale/costs.json']
  fill('docs/scale.md', costParts(costs), 'costs')
  fill('docs/scale.md', [needsTable(costs)], 'needs')
  return ['bench/scale/costs.json', 'docs/scale.md']
}

function writeContest(figures: Figures, options: BenchOptions): readonly string[] {
  writeFileSync(fileOf('bench/RESULTS.md'), resultsPage(figures, options))
  writeFileSync(fileOf('bench/results.svg'), resultsChart(figures))
  const machine = describeMachine()
  const comparison = `${summaryTable(contenders, figures)}

A hit is answered from what the gate remembers, a miss asks the backend. Measured on ${machine['Date']} with \`npm run bench\` on ${machine['CPU']}, generator
included. Beside \`proxy_cache\`, Lua, njs and plain Express: [bench/RESULTS.md](../bench/RESULTS.md).`
  fill('docs/performance.md', [comparison, sizingAdvice(figures), memoryAdvice(figures)])
  return ['bench/RESULTS.md', 'bench/results.svg', 'docs/performance.md']
}

function fill(name: string, parts: readonly string[], place = 'bench'): void {
  const text = parts.filter((part) => part !== '').join('\n\n')
  const page = readFileSync(fileOf(name), 'utf8')
  const [begin, end] = [`<!-- ${place}:begin -->`, `<!-- ${place}:end -->`]
  const marked = new RegExp(`${begin}.*${end}`, 's')
  if (!marked.test(page)) throw new Error(`${name} has no place for the figures: ${begin}${end}`)
  writeFileSync(
    fileOf(name),
    page.replace(marked, () => `${begin}\n\n${text}\n\n${end}`),
  )
}
