import { find, setPill, setText } from './elements.js'
import { count, counted } from './format.js'

/** @typedef {import('./messages.js').GateState} GateState */

/**
 * What the default action does at this moment. `loud` is not empty while it lets unknown viewers in.
 * @param {GateState} state
 * @returns {{ means: string, tone: 'bad' | 'warm' | '', loud: string }}
 */
export function judgeDefaultAction({ defaultAction, backends, rates, sessions, byDefault }) {
  const isDown = backends.every(({ state }) => state === 'unavailable')
  if (!isDown && rates[defaultAction].default === 0) {
    if (sessions.provisional > 0)
      return { means: 'some sessions are still provisional', tone: 'warm', loud: '' }
    const inOutage = defaultAction === 'allow' ? 'unknown viewers get in' : 'new viewers are refused'
    return { means: `in an outage ${inOutage}`, tone: '', loud: '' }
  }
  if (defaultAction === 'deny') {
    return { means: 'new viewers are refused; who plays goes on', tone: 'warm', loud: '' }
  }
  const numbers = `${counted(sessions.provisional, 'provisional session')} now, ${count(byDefault.letIn)} let in since the gate started`
  const loud = `Unknown viewers are being let in: the backend gives no answer, and the default action is “allow”. ${numbers}.`
  return { means: 'unknown viewers are being let in', tone: 'bad', loud }
}

/** Shows the default action. A screen reader reads the warning only when it appears. */
export function createDefaultAction() {
  const banner = find('banner', HTMLElement)
  let wasLoud = false
  return {
    /** @param {GateState} state */
    show(state) {
      const { means, tone, loud } = judgeDefaultAction(state)
      setPill(find('action', HTMLElement), state.defaultAction, tone)
      setText(find('action-means', HTMLElement), means)
      // The numbers in it change every second, and should not be read out each time.
      banner.ariaLive = wasLoud ? 'off' : 'assertive'
      setText(banner, loud)
      banner.hidden = loud === ''
      wasLoud = loud !== ''
    },
  }
}
