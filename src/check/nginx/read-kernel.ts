import { readFileSync } from 'node:fs'

/** Reads a number below /proc/sys, by its path there; undefined when this kernel has none. */
export function readKernel(path: string): number | undefined {
  try {
    const value = Number.parseInt(readFileSync(`/proc/sys/${path}`, 'utf8'), 10)
    return Number.isNaN(value) ? undefined : value
  } catch {
    return undefined
  }
}
