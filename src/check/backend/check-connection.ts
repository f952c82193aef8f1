import { formatAddress, isLoopback } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Connected } from './connect-to.ts'

/** One address of a backend, and the result of a connection to it. */
interface Tried {
  readonly address: string
  readonly connected: Connected
}

const { ok, warning, failed } = findingsOf('backend-connection')

const meaningOf: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  EACCES: 'forbidden by a firewall of this machine',
  EPERM: 'forbidden by a firewall of this machine',
}

/** Errors of a machine without IPv6: it has no route to such an address, and finds that out at once. */
const noRoute: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

/**
 * Checks the connections to all addresses of a backend. One must work; every other that does not costs time.
 */
export function checkConnection(port: number, tried: readonly Tried[], limit: number): Finding {
  const told = ({ address, connected }: Tried): string => {
    const at = formatAddress({ kind: 'tcp', host: address, port })
    if (connected.kind === 'connected') return `${at} in ${connected.ms} ms`
    if (connected.kind === 'silent') return `${at}: no answer within ${limit} ms`
    return `${at}: ${meaningOf[connected.code] ?? connected.code}`
  }
  const detail = {
    addresses: tried.map(({ address, connected }) => ({ address, port, ...connected })),
  }
  const dead = tried.filter(({ connected }) => connected.kind !== 'connected')
  const sentence = tried.map(told).join(', ')
  if (dead.length === tried.length) {
    const remedy = dead.some(({ connected }) => connected.kind === 'silent')
      ? 'does a firewall drop the packets? Is the machine up, and BACKEND_URL right?'
      : 'is the backend running? Are host and port of BACKEND_URL right?'
    return failed(sentence, remedy, detail)
  }
  if (dead.every(isHarmless)) return ok(sentence, undefined, detail)
  const remedy = 'repair what is dead, or take its address out of DNS: it costs time whenever it is tried'
  return warning(sentence, remedy, detail)
}

function isHarmless({ address, connected }: Tried): boolean {
  if (connected.kind !== 'refused') return false
  // `localhost` is both ::1 and 127.0.0.1. A refusal from this machine costs no time.
  return isLoopback(address) || (address.includes(':') && noRoute.has(connected.code))
}
