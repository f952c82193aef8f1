import { type Finding, findingsOf } from '../finding.ts'

/** What the `Date` of one backend says. */
export interface ClockReading {
  /** The name of the backend. */
  readonly backend: string
  /** Milliseconds by which our clock is ahead of its clock. */
  readonly ahead: number
}

const { ok, warning, failed } = findingsOf('clock')
/** Every version of alta-auth is newer than this. */
const OLDEST = Date.UTC(2026, 0, 1)
/** Milliseconds that clocks may differ. Tokens expire by the clock, some within seconds. */
const MOST = 60_000

/**
 * Checks that the clock is set, and agrees with the clocks of the backends.
 * @param now wall clock in milliseconds
 */
export function checkClock(now: number, readings: readonly ClockReading[]): Finding {
  const here = new Date(now).toISOString().replace(/\..*/, 'Z')
  if (now < OLDEST) {
    const remedy = 'set the clock and let it be kept: timedatectl set-ntp true'
    const sentence = `this machine thinks it is ${here}: certificates and tokens are judged by that`
    return failed(sentence, remedy, { here })
  }
  const worst = [...readings].sort((a, b) => Math.abs(b.ahead) - Math.abs(a.ahead))[0]
  if (worst === undefined) return ok(`${here}; no backend tells its time`, undefined, { here })
  const seconds = Math.round(Math.abs(worst.ahead) / 1000)
  const detail = { here, seconds: Math.round(worst.ahead / 1000), comparedWith: worst.backend }
  if (Math.abs(worst.ahead) <= MOST) return ok(`${here}, as the backend has it`, undefined, detail)
  const direction = worst.ahead > 0 ? 'ahead of' : 'behind'
  const remedy = 'let both clocks be kept (timedatectl): tokens and certificates expire by them'
  return warning(`this machine is ${seconds} s ${direction} ${worst.backend}`, remedy, detail)
}
