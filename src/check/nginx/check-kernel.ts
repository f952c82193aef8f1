import { isPublic } from '../../listen.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Target } from '../nginx-conf/gate-addresses.ts'

const { warning } = findingsOf('nginx-upstream')
/** The most connections that may wait for the gate: the gate asks the kernel for that many. */
const BACKLOG = 4_096

/** Reads a number below /proc/sys, by its path there; undefined when this kernel has none. */
export type ReadKernel = (path: string) => number | undefined

/**
 * Checks settings of this machine that make nginx take a working gate for a dead one when there are many
 * questions.
 */
export function checkKernel(targets: readonly Target[], readKernel: ReadKernel): Finding[] {
  const findings: Finding[] = []
  const waiting = readKernel('net/core/somaxconn')
  if (waiting !== undefined && waiting < BACKLOG) {
    const sentence = `net.core.somaxconn is ${waiting}: of more connections that wait at once, nginx takes the gate for dead`
    findings.push(warning(sentence, `sysctl net.core.somaxconn=${BACKLOG}, and restart the gate`))
  }
  const far = targets.filter(({ address }) => isPublic(address))
  // 1 = ports of closed connections are used again. 2 (the default) = only on the loopback interface.
  if (far.length > 0 && (readKernel('net/ipv4/tcp_tw_reuse') ?? 1) !== 1) {
    const sentence = `nginx asks ${far.map(({ text }) => text).join(', ')} over TCP: bursts use up the local ports, and nginx takes the gate for dead`
    findings.push(warning(sentence, 'a Unix socket or 127.0.0.1; else sysctl net.ipv4.tcp_tw_reuse=1'))
  }
  return findings
}
