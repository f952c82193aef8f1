import type { Child } from './child.ts'
import { get } from './http-get.ts'
import { until } from './until.ts'

/**
 * Waits until a program that was just started answers HTTP at this port.
 * @throws with what it printed when it ends before
 */
export async function answersHttp(name: string, child: Child, port: number): Promise<void> {
  await until(`${name} to answer`, () => {
    if (child.process.exitCode !== null) throw new Error(`${name} did not start:\n${child.output()}`)
    return get({ port }, '/').then(
      () => true,
      () => false,
    )
  })
}
