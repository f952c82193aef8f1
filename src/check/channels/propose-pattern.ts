import { countOf, type MediaFolder } from './read-media.ts'

/** A CHANNEL_PATTERN that fits what lies in a folder. */
export interface Proposal {
  readonly pattern: string
  readonly channels: number
}

/** Names that need no escape, neither in a path nor in a pattern. */
const plainName = /^[\w-]+$/
/** Playlists that stand for all of their folder: what lies beside them are its variants. */
const ofFolder =
  /^(?:index|master|main|manifest|playlist|stream|live|chunklist.*|tracks.*|video.*|audio.*|\d+p?)$/i

/** Proposes a pattern for the playlists in a folder, whose path on the site is `prefix`; undefined = they show no order. */
export function proposePattern({ playlists, folders }: MediaFolder, prefix: string): Proposal | undefined {
  if (playlists.length > 0) return proposeNames(playlists, prefix)
  const inner = [...folders].filter(([name]) => plainName.test(name))
  const channels = inner.filter(([, folder]) => folder.playlists.length > 0)
  if (channels.length > 1) {
    const named = channels.flatMap(([, folder]) => proposeNames(folder.playlists, '') ?? [])
    if (named.length === 0) return { pattern: `^${prefix}([^/]+)/`, channels: channels.length }
  }
  if (areAlike(inner.map(([, folder]) => folder)))
    return { pattern: `^${prefix}([^/]+)/`, channels: inner.length }
  const proposals = inner.flatMap(([name, folder]) => {
    const proposal = proposePattern(folder, `${prefix}${name}/`)
    return proposal === undefined ? [] : [{ ...proposal, of: countOf(folder) }]
  })
  const best = proposals.sort((a, b) => b.of - a.of)[0]
  return best === undefined ? undefined : { pattern: best.pattern, channels: best.channels }
}

/** Whether folders hold folders of the same names, as channels do that come in several qualities. */
function areAlike([first, ...others]: readonly MediaFolder[]): boolean {
  const names = [...(first?.folders.keys() ?? [])]
  return others.length > 0 && others.every(({ folders }) => names.some((name) => folders.has(name)))
}

/** Several channels in one folder: their names end where the names of their segments go on. */
function proposeNames(playlists: readonly string[], prefix: string): Proposal | undefined {
  const names = new Set(playlists.map((name) => name.replace(/\.\w+$/, '')))
  const channels = new Set([...names].map((name) => /^[^.-]+/.exec(name)?.[0]))
  const isClear = channels.size === names.size && ![...names].some((name) => ofFolder.test(name))
  return names.size > 1 && isClear ? { pattern: `^${prefix}([^/.-]+)`, channels: names.size } : undefined
}
