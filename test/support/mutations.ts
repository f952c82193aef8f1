/** 0 to 1, the same each time for one seed. */
export type Chance = () => number

/** What is inserted into a request: delimiters, framing, control characters, halves of escapes. */
const scraps = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  '%',
  '%0d%0a',
  '%00',
  '..',
  '//',
  '?',
  '#',
  '&',
  '\x7f',
  '\xff',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 7\r\n',
  'Content-Length: -1\r\n',
  'Expect: 100-continue\r\n',
  'Range: bytes=0-\r\n',
  'If-None-Match: *\r\n',
  'Connection: Upgrade\r\nUpgrade: websocket\r\n',
  'HTTP/1.0',
  'POST ',
] as const

type Mutation = (text: string, chance: Chance, others: readonly string[]) => string

const at = (length: number, chance: Chance): number => Math.floor(chance() * (length + 1))
const pick = <Item>(items: readonly Item[], chance: Chance): Item =>
  items[Math.floor(chance() * items.length)] as Item

/** Byte strings in, byte strings out (latin-1). */
const mutations: Readonly<Record<string, Mutation>> = {
  'bit flip': (text, chance) => {
    const here = Math.floor(chance() * text.length)
    const flipped = (text.charCodeAt(here) || 0) ^ (1 << Math.floor(chance() * 8))
    return text.slice(0, here) + String.fromCharCode(flipped & 255) + text.slice(here + 1)
  },
  deletion: (text, chance) => {
    const here = at(text.length, chance)
    return text.slice(0, here) + text.slice(here + 1 + Math.floor(chance() * 12))
  },
  duplication: (text, chance) => {
    const here = at(text.length, chance)
    const end = Math.min(text.length, here + 1 + Math.floor(chance() * 60))
    return text.slice(0, end) + text.slice(here)
  },
  'line duplication': (text, chance) => {
    const lines = text.split('\r\n')
    const here = Math.floor(chance() * lines.length)
    return [...lines.slice(0, here), lines[here], ...lines.slice(here)].join('\r\n')
  },
  splice: (text, chance, others) => {
    const other = pick(others, chance)
    return text.slice(0, at(text.length, chance)) + other.slice(at(other.length, chance))
  },
  insertion: (text, chance) => {
    const here = at(text.length, chance)
    return text.slice(0, here) + pick(scraps, chance) + text.slice(here)
  },
  truncation: (text, chance) => text.slice(0, at(text.length, chance)),
}

export const kinds = Object.keys(mutations)

/** One to three mutations, one after the other, mostly one; `kinds` names them. */
export function mutate(
  text: string,
  chance: Chance,
  others: readonly string[],
): { readonly bytes: string; readonly kinds: readonly string[] } {
  const used = Array.from({ length: 1 + Math.floor(chance() ** 2 * 3) }, () => pick(kinds, chance))
  return { bytes: used.reduce((so, kind) => mutations[kind]?.(so, chance, others) ?? so, text), kinds: used }
}
