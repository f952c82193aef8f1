import { find, setText } from './elements.js'
import { clock, plain } from './format.js'

/**
 * What is said while the store cannot be used; empty while it can, and where there is none.
 * @param {Pick<import('./messages.js').GateState, 'state' | 'time'>} state
 */
function noticeOf({ state, time }) {
  if (state === null || state.usable) return ''
  const since = clock(state.since, Date.parse(time))
  return `Since ${since} sessions are not kept: ${plain(state.message ?? '')}. Who plays goes on; a restart of the gate now may forget them, and silent sessions cannot be resumed.`
}

/** @param {import('./messages.js').GateState} state */
export function showStoreNotice(state) {
  const notice = find('store-notice', HTMLElement)
  const text = noticeOf(state)
  setText(notice, text)
  notice.hidden = text === ''
}
