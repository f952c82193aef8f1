/**
 * A URL that people recognise, without its secrets: user, password and parameters are not shown. A text
 * without any of the characters that secrets need is shown as it is. Of a text that has such a character and
 * is no URL nothing is shown, because a password there can look like anything. The path of a folder is shown.
 */
export function maskUrl(text: string): string {
  if (!/[@?#=&"'<>\\]/.test(text) || /^file:\/[\w./@=+-]*$/.test(text)) return text
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
