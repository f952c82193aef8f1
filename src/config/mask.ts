/**
 * A URL for people to recognise, without its secrets: user, password and parameters are not shown. They need one of a few characters to be
 * there at all; of a text that has those and is no URL nothing is shown, because then a password can look like anything.
 */
export function maskUrl(text: string): string {
  if (!/[@?#=&"'<>\\]/.test(text)) return text
  if (!/^[\x21-\x7e]+$/.test(text) || /["'<>\\]/.test(text) || !URL.canParse(text)) return '***'
  const { protocol, username, password, host, pathname, search, hash } = new URL(text)
  const user = username === '' && password === '' ? '' : '***@'
  const path = pathname.includes('@') ? '/***' : pathname
  return `${protocol}//${user}${host}${path}${search === '' && hash === '' ? '' : '?***'}`
}

/** The text of a setting as it may be shown. */
export function maskSetting(text: string, secret: 'url' | 'text' | undefined): string {
  if (secret === undefined || text === '') return text
  return secret === 'url' ? maskUrl(text) : '***'
}
