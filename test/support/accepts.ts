import { connect } from 'node:net'

/** Whether connections are accepted there: at a port of `host`, or at the path of a Unix socket. */
export function accepts(where: number | string, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = typeof where === 'number' ? connect(where, host) : connect(where)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
