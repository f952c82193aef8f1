/** Places in a request that is a template: for a number that was never used before, then for the address that is made from it. */
export const NUMBER = '{number}'
export const ADDRESS = '{address}'

/** What replay.lua makes of the templates and a number. */
export function newcomer(templates: readonly string[], number: number): string {
  const template = templates[number % templates.length] ?? ''
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
  return template.replace(NUMBER, String(number)).replace(ADDRESS, address)
}
