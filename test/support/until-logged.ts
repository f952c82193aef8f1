import type { Nginx } from './nginx.ts'
import { until } from './until.ts'

/**
 * Waits until the last line of nginx's access log matches. nginx writes it after the viewer has the answer.
 */
export async function untilLogged(nginx: Nginx, pattern: RegExp): Promise<void> {
  const last = (): string => nginx.accessLog().at(-1) ?? ''
  try {
    await until('the line', () => pattern.test(last()), 3_000)
  } catch {
    throw new Error(`expected ${pattern} as the last line of the access log, found ${last()}`)
  }
}
