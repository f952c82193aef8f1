import type { Figures } from './figures.ts'
import { number } from './table.ts'

/** Cores that nginx, the generator and two gates fill: with fewer, a second gate finds none of its own. */
const CORES = 5

/** What a second gate brings, as far as this machine can show it. Empty when it was not measured. */
export function scalingText({ works }: Figures, cores: number): string {
  const [one, two] = [works.hits?.['j'], works.hits?.['k']]
  if (one === undefined || two === undefined) return ''
  const core = (secondsPer100000: number): string => number(100_000 / secondsPer100000, 0)
  const seen = `${number(two.perSecond, 0)} hits a second with two gates, ${number(one.perSecond, 0)} with one: ${number(two.perSecond / one.perSecond, 2)} times as many.`
  const cost = `A hit costs ${number(one.cpu.gate * 10, 1)} µs of a gate's CPU with one gate and ${number(two.cpu.gate * 10, 1)} µs with two. So a core of one gate carries ${core(one.cpu.gate)} hits a second, and two cores of two gates ${core(two.cpu.gate / 2)}.`
  return cores >= CORES
    ? `${seen} ${cost}`
    : `${seen} **This machine is too small to show it**: nginx, the generator and both gates share ${cores} cores, and one gate can fill what is left of them. What it can show is the cost: ${cost}`
}
