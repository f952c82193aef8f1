import type { ListenAddress } from '../listen.ts'
import type { Environment } from './read-settings.ts'

/** systemd passes its sockets from this descriptor on (sd_listen_fds(3)). */
const FIRST_FD = 3

/** The socket that systemd opened for exactly this process, if it did. */
export function inheritedSocket(environment: Environment, pid: number): ListenAddress | undefined {
  const meant = environment['LISTEN_PID'] === String(pid) && Number(environment['LISTEN_FDS']) >= 1
  return meant ? { kind: 'inherited', fd: FIRST_FD } : undefined
}
