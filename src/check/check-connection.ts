import type { Connected } from './connect-to.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

export interface Tried {
  readonly address: string
  readonly connected: Connected
}

const meaningOf: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  EACCES: 'forbidden by a firewall of this machine',
  EPERM: 'forbidden by a firewall of this machine',
}

/** A machine without IPv6 finds no route to such an address, and loses no time over it. */
const noRoute: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

/** Judges the connections to all addresses of a backend: one is needed, and each other one that is dead costs time. */
export function checkConnection(port: number, tried: readonly Tried[], limit: number): Finding {
  const name = 'backend-connection'
  const at = (address: string): string =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  const told = ({ address, connected }: Tried): string => {
    if (connected.kind === 'connected') return `${at(address)} in ${connected.ms} ms`
    if (connected.kind === 'silent') return `${at(address)}: no answer within ${limit} ms`
    return `${at(address)}: ${meaningOf[connected.code] ?? connected.code}`
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
    return failed(name, sentence, remedy, detail)
  }
  if (dead.every(isHarmless)) return ok(name, sentence, detail)
  return warning(
    name,
    sentence,
    'repair what is dead, or take its address out of DNS: it costs time whenever it is tried',
    detail,
  )
}

function isHarmless({ address, connected }: Tried): boolean {
  if (connected.kind !== 'refused') return false
  // `localhost` is both ::1 and 127.0.0.1; a refusal from this machine costs nothing.
  if (/^(?:127\.|::1$)/.test(address)) return true
  return address.includes(':') && noRoute.has(connected.code)
}
