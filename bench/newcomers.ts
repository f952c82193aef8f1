/**
 * Placeholders in the template of a request: for a number that was never used before, and for the address
 * made from it.
 */
export const NUMBER = '{number}'
/** See NUMBER. */
export const ADDRESS = '{address}'

/** Fills in a template as replay.lua does. The number selects the template. */
export function newcomer(templates: readonly string[], number: number): string {
  const template = templates[number % templates.length] ?? ''
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
  return template.replace(NUMBER, String(number)).replace(ADDRESS, address)
}
