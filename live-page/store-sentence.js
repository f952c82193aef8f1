import { clock, plain } from './format.js'

/**
 * What is said while the store cannot be used; empty while it can, and where there is none.
 * @param {Pick<import('./messages.js').GateState, 'state' | 'time' | 'gates'>} state
 */
export function storeSentence({ state, time, gates }) {
  if (state === null) return ''
  const now = Date.parse(time)
  const since = clock(state.since, now)
  const why = plain(state.message ?? '')
  if (!state.usable && gates !== undefined)
    return `Since ${since} this gate is alone: ${why}. Who plays goes on. Viewers who change gates are asked about anew, limits count for each gate by itself, and other gates are neither shown nor closed.`
  if (state.usable) return why
  return `Since ${since} sessions are not kept: ${why}. Who plays goes on; a restart of the gate now may forget them, and silent sessions cannot be resumed.`
}
