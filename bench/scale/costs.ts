import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ScaleFigures } from './figures.ts'

/** What the bench has measured last: costs.json, which holds all parts. */
export type Costs = Required<ScaleFigures>

const file = fileURLToPath(new URL('./costs.json', import.meta.url))

export function readCosts(): Costs {
  return JSON.parse(readFileSync(file, 'utf8')) as Costs
}

/** Puts what was measured in the place of what was measured before. Returns all. */
export function writeCosts(figures: ScaleFigures): Costs {
  const before = readCosts()
  const all = { ...before, ...figures, measured: { ...before.measured, ...figures.measured } }
  writeFileSync(file, `${JSON.stringify(all, rounded, 2)}\n`)
  return readCosts()
}

/** No figure is more exact than that. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value
}
