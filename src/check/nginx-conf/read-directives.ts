import type { Directive } from './directive.ts'

interface Token {
  readonly text: string
  readonly line: number
  /** `;`, `{` or `}` outside of quotes. */
  readonly isMark: boolean
}

/**
 * Reads the text of one file as nginx does (ngx_conf_file.c). Of a text that nginx would refuse, it reads
 * what it can.
 */
export function readDirectives(text: string, file: string): Directive[] {
  const tokens = tokensOf(text)
  let at = 0
  const readBlock = (): Directive[] => {
    const directives: Directive[] = []
    let words: Token[] = []
    while (at < tokens.length) {
      const token = tokens[at++]
      if (token === undefined) break
      if (!token.isMark) {
        words.push(token)
        continue
      }
      if (token.text === '}') break
      const block = token.text === '{' ? readBlock() : undefined
      const [first, ...args] = words
      words = []
      if (first === undefined) continue
      directives.push({
        name: first.text,
        args: args.map((word) => word.text),
        ...(block === undefined ? {} : { block }),
        file,
        line: first.line,
      })
    }
    return directives
  }
  return readBlock()
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let line = 1
  let at = 0
  while (at < text.length) {
    const character = text[at] ?? ''
    if (character === '\n') line++
    if (/\s/.test(character)) at++
    else if (character === '#') at = endOf(text, '\n', at)
    else if (/[;{}]/.test(character)) {
      tokens.push({ text: character, line, isMark: true })
      at++
      const name = tokens.at(-2)?.text ?? ''
      // The block is Lua, which has other rules.
      if (character === '{' && name.endsWith('_by_lua_block')) at = endOfLua(text, at)
    } else {
      const [word, end] = /["']/.test(character) ? readQuoted(text, at) : readWord(text, at)
      tokens.push({ text: word, line, isMark: false })
      line += text.slice(at, end).split('\n').length - 1
      at = end
    }
  }
  return tokens
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from)
  return end === -1 ? text.length : end
}

const escapes: Readonly<Record<string, string>> = {
  t: '\t',
  r: '\r',
  n: '\n',
  '"': '"',
  "'": "'",
  '\\': '\\',
}

function readQuoted(text: string, from: number): [string, number] {
  const quote = text[from]
  let word = ''
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === quote) return [word, at + 1]
    if (character === '\\') {
      const next = text[++at] ?? ''
      word += escapes[next] ?? `\\${next}`
    } else word += character
  }
  return [word, text.length]
}

function readWord(text: string, from: number): [string, number] {
  let word = ''
  let at = from
  for (; at < text.length; at++) {
    const character = text[at] ?? ''
    if (/[\s;]/.test(character)) break
    // `${name}` is a variable. Any other brace begins a block.
    if (character === '{' && text[at - 1] !== '$') break
    if (character === '\\') {
      const next = text[++at] ?? ''
      word += escapes[next] ?? `\\${next}`
    } else word += character
  }
  return [word, Math.max(at, from + 1)]
}

/** Strings and comments of Lua. Braces in them do not count. */
const luaText = /--\[\[.*?\]\]|--[^\n]*|\[\[.*?\]\]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/sy

function endOfLua(text: string, from: number): number {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    luaText.lastIndex = at
    const skipped = luaText.exec(text)?.[0].length ?? 0
    if (skipped > 0) {
      at += skipped - 1
      continue
    }
    if (text[at] === '{') depth++
    if (text[at] === '}' && --depth === 0) return at
  }
  return text.length
}
