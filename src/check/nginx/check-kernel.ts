import { isPublic } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Target } from '../nginx-conf/gate-addresses.ts'

const { warning } = findingsOf('nginx-upstream')
/** Connections that may wait for the gate: what it asks the kernel for. */
const BACKLOG = 4_096

/** A number below /proc/sys, by its path there; undefined where the kernel has none. */
export type ReadKernel = (path: string) => number | undefined

/** What of this machine makes nginx take a gate that works for a dead one, as soon as many ask at once. */
export function checkKernel(targets: readonly Target[], readKernel: ReadKernel): Finding[] {
  const findings: Finding[] = []
  const waiting = readKernel('net/core/somaxconn')
  if (waiting !== undefined && waiting < BACKLOG) {
    const sentence = `net.core.somaxconn is ${waiting}: of more connections that wait at once, nginx takes the gate for dead`
    findings.push(warning(sentence, `sysctl net.core.somaxconn=${BACKLOG}, and restart the gate`))
  }
  const far = targets.filter(({ address }) => isPublic(address))
  // 1 = ports of connections that were closed are used again; 2 (the default) = only on the loopback.
  if (far.length > 0 && (readKernel('net/ipv4/tcp_tw_reuse') ?? 1) !== 1) {
    const sentence = `nginx asks ${far.map(({ text }) => text).join(', ')} over TCP: bursts use up the local ports, and nginx takes the gate for dead`
    findings.push(warning(sentence, 'a Unix socket or 127.0.0.1; else sysctl net.ipv4.tcp_tw_reuse=1'))
  }
  return findings
}
