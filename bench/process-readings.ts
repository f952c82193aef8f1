import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** The processes and their children: nginx has workers. */
function family(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return [pid, ...(children === '' ? [] : children.split(' ').map(Number))]
  })
}

/** Seconds of CPU time, user and system, that the processes and their children have used so far. */
export function cpuSeconds(...pids: readonly number[]): number {
  const ticks = family(pids).map((one) => {
    const text = readFileSync(`/proc/${one}/stat`, 'utf8')
    // The second field is a name in brackets that may hold spaces. utime and stime are fields 14 and 15.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return sumOf(ticks) / TICKS_A_SECOND
}

/**
 * Resident memory of the processes and their children, in MB of 1,000,000 bytes. Shared memory counts for
 * each of them.
 */
export function rss(...pids: readonly number[]): number {
  return sumOf(family(pids).map((one) => readMegabytes(`/proc/${one}/status`, 'VmRSS')))
}

/** The peak of this process alone, in MB. */
export function rssPeak(pid: number): number {
  return readMegabytes(`/proc/${pid}/status`, 'VmHWM')
}

/**
 * Memory of the process and its children in MB of 1,000,000 bytes. Shared pages are divided among the
 * processes that share them (Pss).
 */
export function pss(pid: number): number {
  return sumOf(family([pid]).map((one) => readMegabytes(`/proc/${one}/smaps_rollup`, 'Pss')))
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, some) => sum + some, 0)
}

/** The kernel writes "kB" for 1,024 bytes. */
function readMegabytes(file: string, name: string): number {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8')) ?? []
  return (Number(kibibytes) * 1024) / 1_000_000
}
