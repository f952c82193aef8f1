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

/**
 * Checks the Valkey that gates share. What the running gate has said of it is not said again.
 * @param configuration what all gates have to have in common, as it is here
 */
export async function checkValkey(
  state: ValkeyState,
  running: Readyz['state'],
  lookAtValkey: LookAtValkey,
  configuration: string,
): Promise<CheckedStore> {
  const looked = await lookAtValkey(state)
  return {
    flaws: [
      ...ofTrouble(looked, running),
      ...ofRoundTrip(looked, state),
      ...ofPolicy(looked),
      ...ofClock(looked),
      ...ofGates(looked, configuration),
    ],
    sound: asItShouldBe(looked),
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

function ofGates({ name, gates = [], strangers = 0 }: LookedAtValkey, configuration: string): Finding[] {
  const others = gates.filter((one) => one.configuration !== configuration).map((one) => one.name)
  const findings: Finding[] = []
  if (strangers > 0)
    findings.push(
      failed(
        `${strangers === 1 ? 'a gate uses' : `${strangers} gates use`} Valkey at ${name} with another STATE_SECRET: its sessions and limits are its own`,
        'write the same STATE_SECRET on all gates, or another STATE_PREFIX where it is another installation',
        { strangers },
      ),
    )
  if (others.length > 0)
    findings.push(
      failed(
        `another configuration than here has ${others.join(', ')}: sessions of one gate are unknown to the other`,
        'write the same BACKEND_URL, TOKEN_PARAM, IGNORED_PARAMS, patterns, prefixes, SESSION_IDLE and SESSION_LIMIT on all gates, and restart them',
        { others },
      ),
    )
  return findings
}

function asItShouldBe(looked: LookedAtValkey): Finding {
  const { trouble: _, name, roundTrip = 0, policy = 'policy not told', persistence } = looked
  const disk = persistence === true ? ', sealed on its disk, too' : ''
  return ok(`Valkey at ${name} (${shown(roundTrip)}, ${policy}${disk})`, undefined, { ...looked })
}

function shown(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`
}
