import { readFileSync } from 'node:fs'

const page = new URL('../../docs/install.md', import.meta.url)

/** The shell blocks of a section of docs/install.md, from top to bottom. @throws when there are none */
export function readCommands(section: string): string[] {
  const text = readFileSync(page, 'utf8')
  const body = new RegExp(`^## ${section}\\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(text)?.[1] ?? ''
  const blocks = [...body.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  if (blocks.length === 0) throw new Error(`docs/install.md has no commands in a section "${section}"`)
  return blocks
}
