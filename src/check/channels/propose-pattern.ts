import { countOf, type MediaFolder } from './read-media.ts'

/** A CHANNEL_PATTERN that fits what lies in a folder. */
interface Proposal {
  readonly pattern: string
  readonly channels: number
}

/** Names that need no escape, in a path or in a pattern. */
const plainName = /^[\w-]+$/
/** Playlists that stand for their whole folder. The playlists beside them are their variants. */
const ofFolder =
  /^(?:index|master|main|manifest|playlist|stream|live|chunklist.*|tracks.*|video.*|audio.*|\d+p?)$/i

/**
 * Proposes a pattern for the playlists in a folder.
 * @param prefix the path of the folder on the site
 * @returns undefined when the playlists show no order
 */
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

/** Whether folders hold folders with the same names, as channels with several qualities do. */
function areAlike([first, ...others]: readonly MediaFolder[]): boolean {
  const names = [...(first?.folders.keys() ?? [])]
  return others.length > 0 && others.every(({ folders }) => names.some((name) => folders.has(name)))
}

/**
 * For several channels in one folder. The name of a channel ends at the first dot or dash of its playlist's
 * name: there the names of its segments differ. Where `a_hi` stands beside `a`, it is a variant of it, and
 * the name ends at the underscore, too.
 */
function proposeNames(playlists: readonly string[], prefix: string): Proposal | undefined {
  const names = new Set(playlists.map((name) => name.replace(/\.\w+$/, '')))
  if (names.size < 2 || [...names].some((name) => ofFolder.test(name))) return undefined
  const hasVariants = [...names].some((name) => name.includes('_') && names.has(cutAt('_', name)))
  const ends = hasVariants ? '._-' : '.-'
  const channels = new Set([...names].map((name) => cutAt(ends, name)))
  const isClear = hasVariants
    ? [...names].every((name) => names.has(cutAt(ends, name)))
    : channels.size === names.size
  return isClear && channels.size > 1
    ? { pattern: `^${prefix}([^/${ends}]+)`, channels: channels.size }
    : undefined
}

/** The beginning of a name, up to the first of these signs. */
function cutAt(signs: string, name: string): string {
  const end = [...name].findIndex((sign) => signs.includes(sign))
  return end === -1 ? name : name.slice(0, end)
}
