import { formatAddress, type ListenAddress } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { type LookedAt, lookAt } from './look-at.ts'

/** One address where the gate should be, and what answers there. */
export interface FoundGate {
  readonly address: string
  readonly state: 'answers' | 'absent' | 'forbidden' | 'frozen' | 'other'
  /** The address for people. */
  readonly told: string
}

const { ok, warning, failed, skipped } = findingsOf('gate')
/** Milliseconds. nginx waits as long for a gate. */
const LIMIT = 3_000

/** Sends a question that every version of the gate refuses without asking the backend. */
export async function findGate(address: ListenAddress, clock: () => number): Promise<FoundGate> {
  const headers = { Host: 'alta-auth', 'User-Agent': 'alta-auth check' }
  const looked = await lookAt(address, { path: '/', headers, limit: LIMIT, clock })
  const where = formatAddress(address)
  const [state, told] = judge(looked)
  return { address: where, state, told: `${told} ${where}` }
}

function judge(looked: LookedAt): [FoundGate['state'], string] {
  switch (looked.kind) {
    case 'answered': {
      const isGate = looked.status === 403 && looked.headers['x-auth-reason'] === 'bad-request'
      if (isGate) return ['answers', 'answers on']
      const server = looked.headers['server']
      const who = typeof server === 'string' ? ` (${server.slice(0, 40)})` : ''
      return ['other', `something else answers ${looked.status}${who} on`]
    }
    case 'refused':
      return looked.code === 'EACCES'
        ? ['forbidden', 'this user may not connect to']
        : ['absent', 'nothing listens on']
    case 'frozen':
      return ['frozen', `is frozen: no answer within ${LIMIT} ms on`]
    case 'silent':
      return ['absent', 'no connection to']
    case 'not-http':
      return ['other', 'something else, not HTTP, is on']
  }
}

const remedies: Readonly<Record<FoundGate['state'], string>> = {
  answers: '',
  absent: 'start it: systemctl start alta-auth (or alta-auth serve); its log tells why it ended',
  forbidden: 'run this check as root, or as a user of the group of the socket; nginx must be in it, too',
  frozen: 'restart it: systemctl restart alta-auth; what does its log say last?',
  other: 'stop what is there, or give the gate another address: LISTEN, and the server line of http.conf',
}

/**
 * Checks that a gate answers. A gate at an address that nginx asks is enough, because a socket of systemd
 * counts more than LISTEN.
 * @param listening what answers at LISTEN
 * @param asked what answers at the addresses that nginx asks; empty when they are not known
 */
export function checkGate(listening: FoundGate, asked: readonly FoundGate[]): Finding {
  const targets = asked.length > 0 ? asked : [listening]
  const bad = targets.filter(({ state }) => state !== 'answers')
  const detail = { addresses: targets.map(({ address, state }) => ({ address, state })) }
  const [first] = bad
  if (first === undefined) {
    const where = targets.map(({ address }) => address).join(', ')
    const stray = asked.length > 0 && listening.state !== 'answers' && !asked.includes(listening)
    const note = stray
      ? `, where nginx asks; LISTEN=${listening.address} does not count (the socket of systemd?)`
      : ''
    return ok(`answers on ${where}${note}`, undefined, detail)
  }
  const sentence = bad.map(({ told }) => told).join(', ')
  const remedy = remedies[first.state]
  if (bad.every(({ state }) => state === 'forbidden')) return skipped(sentence, remedy)
  if (listening.state === 'answers' && !targets.includes(listening)) {
    const cure = `nginx asks there, but the gate is on ${listening.address}: write that in the server line of http.conf`
    return failed(sentence, cure, detail)
  }
  return bad.length === targets.length
    ? failed(sentence, remedy, detail)
    : warning(`${sentence}; the other ${targets.length - bad.length} answer`, remedy, detail)
}
