import type { ListenAddress } from '../listen.ts'
import type { Environment } from './read-settings.ts'

/** The first descriptor of the sockets that systemd passes (sd_listen_fds(3)). */
const FIRST_FD = 3

/**
 * The socket that systemd opened for this process; undefined when there is none.
 * @param pid the id of this process
 */
export function inheritedSocket(environment: Environment, pid: number): ListenAddress | undefined {
  const meant = environment['LISTEN_PID'] === String(pid) && Number(environment['LISTEN_FDS']) >= 1
  return meant ? { kind: 'inherited', fd: FIRST_FD } : undefined
}
