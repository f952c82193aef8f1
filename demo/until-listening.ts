import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds that a program may take to start. */
const PATIENCE = 20_000

/** Waits until a port of this machine takes connections. @throws when it does not in 20 s */
export async function untilListening(name: string, port: number): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await isOpen(port))) {
    if (performance.now() > deadline) {
      throw new Error(`${name} does not listen on port ${port} after ${PATIENCE / 1000} s: see above`)
    }
    await delay(20)
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1')
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })
}
