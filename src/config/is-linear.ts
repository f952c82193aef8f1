import { setFlagsFromString } from 'node:v8'

/**
 * V8 of Node 24 takes a look behind in linear time, but only with the flag `l`, which patterns do not have.
 */
const lookaround = /\(\?<?[=!]/

/**
 * Whether V8 can match a pattern in linear time. It cannot with a lookaround, a back reference, or counts
 * that multiply to more than 16. V8 checks that only for the flag `l`, which must be enabled first.
 */
export function isLinear({ source }: RegExp): boolean {
  if (lookaround.test(source)) return false
  setFlagsFromString('--enable-experimental-regexp-engine')
  try {
    return new RegExp(source, 'l').source === source
  } catch {
    return false
  } finally {
    setFlagsFromString('--no-enable-experimental-regexp-engine')
  }
}
