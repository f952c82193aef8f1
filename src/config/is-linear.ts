import { setFlagsFromString } from 'node:v8'

/**
 * Whether V8 can match a pattern in linear time: not one with a lookaround, a back reference, or counts that multiply to more than 16. V8
 * tells it of the flag `l` alone, which is off by itself.
 */
export function isLinear({ source }: RegExp): boolean {
  setFlagsFromString('--enable-experimental-regexp-engine')
  try {
    return new RegExp(source, 'l').source === source
  } catch {
    return false
  } finally {
    setFlagsFromString('--no-enable-experimental-regexp-engine')
  }
}
