import { ApiError } from './api.js'
import { element, find, setText } from './elements.js'
import { plain, player } from './format.js'

/** @typedef {import('./messages.js').SessionView} SessionView */

/**
 * Asks for confirmation, and ends a session.
 * @param {import('./api.js').Api} api
 * @param {(id: string) => void} onClosed also called when the session had ended before
 */
export function createCloseDialog(api, onClosed) {
  const dialog = find('closing', HTMLDialogElement)
  const confirm = find('close', HTMLButtonElement)
  const said = find('closing-said', HTMLElement)
  let id = ''

  find('keep', HTMLButtonElement).addEventListener('click', () => dialog.close())
  confirm.addEventListener('click', async () => {
    if (confirm.ariaDisabled === 'true') return
    // Not "disabled" meanwhile, because the focus would be lost.
    confirm.ariaDisabled = 'true'
    try {
      await api.remove(`sessions/${encodeURIComponent(id)}`).catch((error) => {
        if (!(error instanceof ApiError) || error.status !== 404) throw error
      })
      dialog.close()
      onClosed(id)
    } catch (error) {
      setText(said, error instanceof ApiError ? error.message : 'The gate does not answer.')
    }
    confirm.ariaDisabled = null
  })
  return {
    /** @param {SessionView} session */
    open(session) {
      id = session.session
      setText(said, '')
      find('closing-provisional', HTMLElement).hidden = !session.provisional
      const facts = [
        ['User', session.user || '–'],
        ['Channel', session.channel],
        ['Address', session.address],
        ['Player', player(session.userAgent)],
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
