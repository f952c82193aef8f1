import { find, setText } from './elements.js'

/**
 * The form for the admin token. It replaces everything else while the gate asks for a token.
 * @param {import('./token.js').Token} token
 * @param {() => void} onToken
 */
export function createLock(token, onToken) {
  const field = find('token', HTMLInputElement)
  const forget = find('forget', HTMLButtonElement)
  const said = find('lock-said', HTMLElement)
  let tried = false

  /** @param {boolean} isLocked */
  const show = (isLocked) => {
    find('lock', HTMLElement).hidden = !isLocked
    find('content', HTMLElement).hidden = isLocked
    forget.hidden = isLocked || token.read() === ''
  }
  find('lock-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    token.keep(field.value.trim())
    field.value = ''
    tried = true
    setText(said, '')
    onToken()
  })
  // All that the page has shown is removed with the token.
  forget.addEventListener('click', () => {
    token.forget()
    location.reload()
  })
  return {
    ask() {
      setText(said, tried || token.read() !== '' ? 'The gate does not accept this token.' : '')
      token.forget()
      tried = false
      show(true)
      field.focus()
    },
    open: () => show(false),
  }
}
