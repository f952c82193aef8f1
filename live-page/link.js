import { find, setText } from './elements.js'

/**
 * Shows the state of the connection to the gate.
 * @param {() => void} onTryNow
 */
export function createLink(onTryNow) {
  const again = find('try-now', HTMLButtonElement)
  again.addEventListener('click', onTryNow)
  return {
    /** @param {import('./connection.js').LinkState} state */
    show(state) {
      const texts = { connecting: 'Connecting …', live: 'Live', locked: 'Locked', waiting: '' }
      const text =
        state.kind === 'waiting' ? `Reconnecting in ${state.seconds} s: ${state.why}` : texts[state.kind]
      setText(find('link-text', HTMLElement), text)
      find('link', HTMLElement).dataset.kind = state.kind
      again.hidden = state.kind !== 'waiting'
      find('content', HTMLElement).classList.toggle('old', state.kind !== 'live')
    },
  }
}
