import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits until something outside this process becomes true.
 * @throws when it does not within `patience` milliseconds
 */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  patience = 10_000,
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patience} ms`)
    await delay(10)
  }
}
