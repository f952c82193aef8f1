import { find, setText } from './elements.js'
import { storeSentence } from './store-sentence.js'

/** @param {import('./messages.js').GateState} state */
export function showStoreNotice(state) {
  const notice = find('store-notice', HTMLElement)
  const text = storeSentence(state)
  setText(notice, text)
  notice.hidden = text === ''
}
