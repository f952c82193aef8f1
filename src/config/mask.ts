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

const valkeyAddress = /^((?:valkeys?|rediss?|unix):\/\/)(?:\S*(@))?([\w.:[\]-]*(?:\/[\w./=+-]*)?)$/
const socketPath = /^unix:\/(?!\/)[\w./@=+-]*$/

/**
 * The text of STATE_URL without its secrets: of each address of Valkey, user and password are not shown.
 * Where only a later word has an `@`, what stands before it may be the rest of a password.
 */
export function maskStoreUrl(text: string): string {
  if (socketPath.test(text)) return text
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const masked = words.map((word) => {
    const [whole, scheme = '', at, rest = ''] = valkeyAddress.exec(word) ?? []
    return whole && `${scheme}${at === undefined ? '' : '***@'}${rest}`
  })
  const isWhole = words[0]?.includes('@') || !text.includes('@')
  return isWhole && masked.every((word) => word !== undefined) ? masked.join(' ') : maskUrl(text)
}

/** How a setting is masked: a URL, the URL of a store, or the whole text. */
export type Secret = 'url' | 'store' | 'text'

/** The text of a setting as it may be shown. */
export function maskSetting(text: string, secret: Secret | undefined): string {
  if (secret === undefined || text === '') return text
  return { url: maskUrl, store: maskStoreUrl, text: () => '***' }[secret](text)
}
