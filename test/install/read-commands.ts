import { readFileSync } from 'node:fs'

const page = new URL('../../docs/install.md', import.meta.url)

/** A block that names a package of an example version, with the files of this one. */
export function withVersion(block: string, version: string): string {
  const named = block.replaceAll(/(?<=alta-auth[-_])\d+\.\d+\.\d+/g, version)
  if (named === block) throw new Error(`this names no package with a version:\n${block}`)
  return named
}

/** The shell blocks of a section of docs/install.md, from top to bottom. @throws when there are none */
export function readCommands(section: string): string[] {
  const text = readFileSync(page, 'utf8')
  const body = new RegExp(`^## ${section}\\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(text)?.[1] ?? ''
  const blocks = [...body.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  if (blocks.length === 0) throw new Error(`docs/install.md has no commands in a section "${section}"`)
  return blocks
}
