import { element, find, setText } from './elements.js'
import { createExplanationView } from './explanation-view.js'

/**
 * Asks the gate for an explanation and shows it.
 * @param {import('./api.js').Api} api
 */
export function createExplainDialog(api) {
  const dialog = find('explaining', HTMLDialogElement)
  const body = find('explaining-body', HTMLElement)
  let shown = 0
  find('explaining-close', HTMLButtonElement).addEventListener('click', () => dialog.close())

  return {
    /**
     * @param {string} what one line about the request
     * @param {Readonly<Record<string, string>>} query the parameters of `/explain`; empty values are left out
     */
    async open(what, query) {
      const mine = ++shown
      setText(find('explaining-what', HTMLElement), what)
      body.replaceChildren(element('p', 'soft', 'Asking the gate …'))
      if (!dialog.open) dialog.showModal()
      const given = Object.entries(query).filter(([, value]) => value !== '')
      const content = await api
        .get(`explain?${new URLSearchParams(given)}`)
        .then(createExplanationView, (error) => [
          element(
            'p',
            'said',
            error instanceof TypeError ? 'The gate does not answer.' : String(error.message),
          ),
        ])
      if (mine !== shown) return
      body.replaceChildren(...content)
      dialog.scrollTop = 0
    },
  }
}
