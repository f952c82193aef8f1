import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { contenders } from './contenders/contenders.ts'
import type { Figures } from './figures.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './read-options.ts'
import { targetTable } from './result-tables.ts'
import { resultsChart } from './results-chart.ts'
import { resultsPage } from './results-page.ts'
import { sizingAdvice, summaryTable } from './summary.ts'

const fileOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** Writes the bench's own page and chart, and its figures into the README and the performance page. Returns the files' names. */
export function writeDocuments(figures: Figures, options: BenchOptions): readonly string[] {
  writeFileSync(fileOf('bench/RESULTS.md'), resultsPage(figures, options))
  writeFileSync(fileOf('bench/results.svg'), resultsChart(figures))
  const machine = describeMachine()
  const shown = `${summaryTable(contenders, figures)}

![Requests per second of all contenders](BENCHresults.svg)

Measured on ${machine['Date']} with \`npm run bench\` on ${machine['CPU']}, generator included.`
  fill('README.md', shown.replace('BENCH', 'bench/'))
  const { sizes } = figures
  const memory =
    sizes === undefined
      ? ''
      : `\n\nThe gate takes ${Math.round(sizes.idle)} MB when it has nothing to do, ${Math.round(sizes.hundredThousand.rss)} MB with 100,000 sessions and ${Math.round(sizes.million.rss)} MB with 1,000,000.`
  fill(
    'docs/performance.md',
    `${shown.replace('BENCH', '../bench/')}\n\n${targetTable(figures)}\n\n${sizingAdvice(figures)}${memory}`,
  )
  return ['bench/RESULTS.md', 'bench/results.svg', 'README.md', 'docs/performance.md']
}

function fill(name: string, text: string): void {
  const page = readFileSync(fileOf(name), 'utf8')
  const marked = /<!-- bench:begin -->.*<!-- bench:end -->/s
  if (!marked.test(page))
    throw new Error(`${name} has no place for the figures: <!-- bench:begin --><!-- bench:end -->`)
  writeFileSync(
    fileOf(name),
    page.replace(marked, () => `<!-- bench:begin -->\n\n${text}\n\n<!-- bench:end -->`),
  )
}
