import { connect } from 'node:net'

/** Whether somebody accepts connections there: a port of `host`, or the path of a Unix socket. */
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
