import { is, readPage } from './pages.ts'

/** What docs/scale.md tells people to write for Valkey. */
export type ScaleBlock = 'valkey' | 'acl' | 'sentinel' | 'tls'

/** The text of a block of docs/scale.md. @throws when there is none, or more than one */
export function blockOfPage(kind: ScaleBlock): string {
  const [block, ...others] = readPage('docs/scale.md').blocks.filter((one) => is(one, 'conf', kind))
  if (block === undefined || others.length > 0) throw new Error(`docs/scale.md has not one block "${kind}"`)
  return block.text
}

/** The commands that its ACL gives the gates. */
export function aclCommandsOfPage(): readonly string[] {
  const line = /^user alta-auth .*$/m.exec(blockOfPage('acl'))?.[0] ?? ''
  return [...line.matchAll(/ \+(\S+)/g)].map(([, command = '']) => command)
}
