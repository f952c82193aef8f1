import type { StateSettings } from '../../config/state-settings.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from '../gate/check-admin.ts'
import type { CheckedStore } from './check-folder.ts'
import type { LookAtValkey, LookedAtValkey } from './look-at-valkey.ts'
import { splitSentence } from './split-sentence.ts'

type ValkeyState = Extract<StateSettings, { kind: 'valkey' }>

const { ok, warning, failed } = findingsOf('store')
/** Of STATE_TIMEOUT. A round trip that takes more leaves no room for a busy moment. */
const MOST_OF_TIMEOUT = 1 / 2
/** Milliseconds. */
const CLOCK_TOLERANCE = 2_000

/** Checks the Valkey that gates share. What the running gate has said of it is not said again. */
export async function checkValkey(
  state: ValkeyState,
  running: Readyz['state'],
  lookAtValkey: LookAtValkey,
): Promise<CheckedStore> {
  const servers = await lookAtValkey(state)
  return {
    flaws: servers.flatMap((one) => [
      ...ofTrouble(one, running),
      ...ofRoundTrip(one, state),
      ...ofPolicy(one),
      ...ofClock(one),
    ]),
    sound: asItShouldBe(servers),
  }
}

function ofTrouble({ trouble }: LookedAtValkey, running: Readyz['state']): Finding[] {
  if (trouble === undefined || (running?.usable === false && running.why === trouble.trouble)) return []
  const [what, cure] = splitSentence(trouble.message)
  return [failed(what, cure, { why: trouble.trouble })]
}

function ofRoundTrip({ name, roundTrip }: LookedAtValkey, { timeout }: ValkeyState): Finding[] {
  if (roundTrip === undefined || roundTrip <= timeout * MOST_OF_TIMEOUT) return []
  const what = `Valkey at ${name} answers after ${shown(roundTrip)}, and STATE_TIMEOUT=${timeout}ms`
  const remedy = 'look at its load and the network between, choose one that is nearer, or raise STATE_TIMEOUT'
  const detail = { roundTrip, timeout }
  return roundTrip > timeout
    ? [failed(`${what}: gates go on without it`, remedy, detail)]
    : [warning(`${what}: a busy moment, and gates go on without it`, remedy, detail)]
}

function ofPolicy({ name, policy }: LookedAtValkey): Finding[] {
  if (policy === undefined || policy === 'noeviction') return []
  const what = `Valkey at ${name} throws keys away when its memory is full (maxmemory-policy ${policy}), also those that say what was closed`
  return [warning(what, 'set maxmemory-policy noeviction, and a maxmemory that suffices', { policy })]
}

function ofClock({ name, clockOffset = 0 }: LookedAtValkey): Finding[] {
  if (Math.abs(clockOffset) <= CLOCK_TOLERANCE) return []
  const seconds = Math.round(Math.abs(clockOffset) / 1_000)
  const what = `the clock of Valkey at ${name} is ${seconds} s ${clockOffset > 0 ? 'ahead of' : 'behind'} this machine's`
  const remedy = 'let NTP set both: at a failover the time of sessions jumps by the difference of two servers'
  return [warning(what, remedy, { clockOffset })]
}

function asItShouldBe(servers: readonly LookedAtValkey[]): Finding {
  const told = servers.map(({ name, roundTrip = 0, policy = 'policy not told', persistence }) => {
    const disk = { true: ', sealed on its disk, too', false: '', undefined: '' }[String(persistence)]
    return `${name} (${shown(roundTrip)}, ${policy}${disk})`
  })
  const detail = servers.map(({ trouble: _, ...server }) => server)
  return ok(`Valkey at ${told.join(', ')}`, undefined, { servers: detail })
}

function shown(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`
}
