import { readFileSync } from 'node:fs'

/** Where a store has its time from. */
export interface ClockSources {
  /** Names the boot of the machine; empty when the system does not tell. */
  readonly boot: string
  /** Milliseconds of the monotonic clock of this boot, which all its processes share. */
  uptime(): number
  /** Milliseconds of the wall clock. */
  wall(): number
}

/** The clocks of this machine. */
export function readSystemClocks(): ClockSources {
  return {
    boot: readBoot(),
    uptime: () => Number(process.hrtime.bigint() / 1_000_000n),
    wall: () => Date.now(),
  }
}

function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** What is kept with the records. */
export interface SavedTime {
  readonly boot: string
  readonly uptime: number
  readonly wall: number
  readonly store: number
}

export interface StoreTime {
  /** Milliseconds, whole. */
  now(): number
  /** What to keep now. */
  save(): SavedTime
}

/**
 * The time of a store, which goes on while no process uses it.
 *
 * Within one boot the monotonic clock tells how long that was, so a wall clock that is set changes nothing.
 * After another boot the wall clock tells it; where that went back, no time has passed.
 */
export function createStoreTime(clocks: ClockSources, saved: SavedTime | undefined): StoreTime {
  const began = clocks.uptime()
  const start = saved === undefined ? clocks.wall() : saved.store + away(clocks, saved, began)
  const now = (): number => Math.floor(start + clocks.uptime() - began)
  return {
    now,
    save: () => ({ boot: clocks.boot, uptime: clocks.uptime(), wall: clocks.wall(), store: now() }),
  }
}

function away(clocks: ClockSources, saved: SavedTime, uptime: number): number {
  const isSameBoot = clocks.boot !== '' && clocks.boot === saved.boot && uptime >= saved.uptime
  return isSameBoot ? uptime - saved.uptime : Math.max(0, clocks.wall() - saved.wall)
}

/** Reads it; undefined when it is not what `save` returned. */
export function readSavedTime(text: string): SavedTime | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { boot, uptime, wall, store } = value as Record<keyof SavedTime, unknown>
  if (typeof boot !== 'string' || !isTime(uptime) || !isTime(wall) || !isTime(store)) return undefined
  return { boot, uptime, wall, store }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
