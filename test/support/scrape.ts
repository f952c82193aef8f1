import assert from 'node:assert/strict'
import type { Environment } from '../../src/config/read-settings.ts'
import type { Log } from '../../src/log/log.ts'
import { type Gate, startGate } from './gate.ts'
import { get } from './http-get.ts'
import type { Scope } from './scope.ts'

export interface Series {
  /** As in the text: `_bucket`, `_sum` and `_count` of a histogram have names of their own. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The result of a scrape. */
export interface Scrape {
  readonly text: string
  readonly contentType: string
  /** Types by the names of the metrics. */
  readonly types: ReadonlyMap<string, string>
  readonly series: readonly Series[]
  /**
   * The value of the only series of this name with these labels; it may have more labels.
   * @throws when there are none, or several
   */
  value(name: string, labels?: Readonly<Record<string, string>>): number
  /**
   * Compares values with `name label=value … number`, several of them behind semicolons or on lines of their
   * own. Names are without `alta_auth_`.
   * @throws AssertionError
   */
  shows(table: string): void
  /** The sum of all series of this name that have these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

/** Scrapes an admin listener, as Prometheus does. */
export async function scrape(
  adminPort: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Scrape> {
  const answer = await get({ port: adminPort }, '/metrics', headers)
  assert.equal(answer.status, 200, answer.body)
  return readMetrics(answer.body, answer.headers['content-type'] ?? '')
}

export interface ScrapedGate extends Gate {
  scrape(): Promise<Scrape>
}

/** A gate in this process that can be scraped. */
export async function startScrapedGate(
  scope: Scope,
  environment: Environment,
  log?: Log,
): Promise<ScrapedGate> {
  const gate = await startGate(scope, { ADMIN_LISTEN: '127.0.0.1:0', ...environment }, log)
  return Object.assign(gate, { scrape: () => scrape(gate.adminPort) })
}

const seriesLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/y

/** Reads Prometheus's text format. @throws at a line that is none of it */
export function readMetrics(text: string, contentType = ''): Scrape {
  const types = new Map<string, string>()
  const series: Series[] = []
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (typed !== undefined && type !== undefined) types.set(typed, type)
    if (line === '' || line.startsWith('# ')) continue
    const [, name, labels = '', value] = seriesLine.exec(line) ?? []
    if (name === undefined) throw new Error(`not a line of Prometheus's text format: ${line}`)
    series.push({ name, labels: readLabels(labels), value: Number(value) })
  }
  const find = (name: string, labels: Readonly<Record<string, string>>): Series[] =>
    series.filter(
      (one) =>
        one.name === name && Object.entries(labels).every(([label, text]) => one.labels[label] === text),
    )
  const scrape: Scrape = {
    text,
    contentType,
    types,
    series,
    shows(table) {
      for (const row of table.trim().split(/;?\s*\n\s*|; /)) {
        const [name = '', ...words] = row.split(' ')
        const value = words.pop()
        const own = Object.fromEntries(words.map((word) => word.split(/=(.*)/s).slice(0, 2)))
        assert.equal(scrape.value(`alta_auth_${name}`, own), Number(value), row)
      }
    },
    value(name, labels = {}) {
      const found = find(name, labels)
      const [only] = found
      assert.ok(
        found.length === 1 && only !== undefined,
        `${found.length} series ${name} ${JSON.stringify(labels)}`,
      )
      return only.value
    },
    sum: (name, labels = {}) => find(name, labels).reduce((sum, { value }) => sum + value, 0),
  }
  return scrape
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPair.lastIndex = 0
  while (labelPair.lastIndex < text.length) {
    const at = labelPair.lastIndex
    const [, label, value] = labelPair.exec(text) ?? []
    if (label === undefined || value === undefined) throw new Error(`not labels: ${text.slice(at)}`)
    labels[label] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
  }
  return labels
}
