import { ApiError } from './api.js'
import { element, find, setText } from './elements.js'
import { plain, player } from './format.js'

/** @typedef {import('./messages.js').SessionView} SessionView */

/**
 * Asks for confirmation, and ends a session.
 * @param {import('./api.js').Api} api
 * @param {object} listeners
 * @param {(id: string) => void} listeners.onClosed also called when the session had ended before
 * @param {() => void} listeners.onDone the dialog is closed, and the session with it
 */
export function createCloseDialog(api, { onClosed, onDone }) {
  const dialog = find('closing', HTMLDialogElement)
  const confirm = find('close', HTMLButtonElement)
  const said = find('closing-said', HTMLElement)
  const keep = find('keep', HTMLButtonElement)
  let id = ''
  let isClosed = false

  keep.addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => {
    if (isClosed) onDone()
  })
  confirm.addEventListener('click', async () => {
    if (confirm.ariaDisabled === 'true') return
    // Not "disabled" meanwhile, because the focus would be lost.
    confirm.ariaDisabled = 'true'
    try {
      /** @type {import('./messages.js').Closing | undefined} */
      const unwritten = await api.remove(`sessions/${encodeURIComponent(id)}`).catch((error) => {
        if (!(error instanceof ApiError) || error.status !== 404) throw error
      })
      isClosed = true
      onClosed(id)
      if (unwritten === undefined) dialog.close()
      else showUnwritten(unwritten.message)
    } catch (error) {
      setText(said, error instanceof ApiError ? error.message : 'The gate does not answer.')
    }
    confirm.ariaDisabled = null
  })

  /**
   * The session is closed, but the dialog stays: a crash of the gate may bring it back.
   * @param {string} message
   */
  function showUnwritten(message) {
    setText(said, `The session is ${plain(message)}.`)
    confirm.hidden = true
    setText(keep, 'Done')
    keep.focus()
  }

  return {
    /** @param {SessionView} session */
    open(session) {
      id = session.session
      isClosed = false
      confirm.hidden = false
      setText(keep, 'Keep it')
      setText(said, '')
      find('closing-provisional', HTMLElement).hidden = !session.provisional
      const facts = [
        ['User', session.user || '–'],
        ['Channel', session.channel],
        ['Address', session.address],
        ['Player', player(session.userAgent)],
        ...(session.gate === undefined ? [] : [['Gate', session.gate]]),
      ]
      find('closing-facts', HTMLElement).replaceChildren(
        ...facts.map(([title = '', value = '']) =>
          element('div', '', element('dt', '', title), element('dd', '', plain(value))),
        ),
      )
      dialog.showModal()
    },
  }
}
