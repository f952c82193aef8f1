import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** One fenced block of a page. */
export interface Block {
  /** `docs/nginx.md:12`, the line of the opening fence. */
  readonly place: string
  /** The first word behind the fence, which is what readers see highlighted. */
  readonly language: string
  /** The words behind it: what a test needs to know and a reader does not see. */
  readonly words: readonly string[]
  /** Without the indentation of the fence. */
  readonly text: string
  /** What stands between the block before and this one. */
  readonly before: string
}

/** One page of the documentation. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
  /** Without its fenced blocks. */
  readonly prose: string
  readonly blocks: readonly Block[]
}

/** Whether a block is of this language, and this word stands behind it. */
export function is(block: Block, language: string, word?: string): boolean {
  return block.language === language && (word === undefined || block.words.includes(word))
}

/** README.md and everything in docs/. */
export function readPages(): readonly Page[] {
  const inDocs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...inDocs.sort().map((name) => `docs/${name}`)].map(readPage)
}

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, ...takeApart(path, text) }
}

/** The cells of each row of the table below a heading of the second level. */
export function rowsBelow(page: string, heading: string): string[][] {
  const section = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** @throws when a fence is not closed. */
export function takeApart(path: string, text: string): Pick<Page, 'prose' | 'blocks'> {
  const blocks: Block[] = []
  const prose: string[] = []
  let before: string[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = /^( *)```(\S*) *(.*)$/.exec(lines[at] ?? '')
    if (fence === null) {
      prose.push(lines[at] ?? '')
      before.push(lines[at] ?? '')
      continue
    }
    const [, indent = '', language = '', words = ''] = fence
    const place = `${path}:${at + 1}`
    const end = lines.indexOf(`${indent}\`\`\``, at + 1)
    if (end === -1) throw new Error(`${place}: the block is not closed`)
    blocks.push({
      place,
      language,
      words: words.split(' ').filter((word) => word !== ''),
      text: lines
        .slice(at + 1, end)
        .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
        .join('\n'),
      before: before.join('\n'),
    })
    before = []
    at = end
  }
  return { prose: prose.join('\n'), blocks }
}
