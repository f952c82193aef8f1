/** A URL without its secrets, however broken it is: user, password and parameter values are not shown. */
export function maskUrl(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:)?(\/\/)?[^/?#\s]*@/i, '$1$2***@').replace(/[?#].*$/s, '?***')
}
