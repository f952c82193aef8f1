import type { PathPatterns } from './identity.ts'

/** Shows paths to people without the credentials in them: `***` in place of each group that was found. */
export interface MaskPath {
  /** A path, or the first `length` characters of it. */
  path(path: string, length?: number): string
  /** The channel in a path, or the whole path where there is none. */
  channel(path: string): string
}

type Range = readonly [from: number, to: number]

/** Builds the mask. Without CREDENTIAL_PATTERN nothing is masked. */
export function createMaskPath({ channelPattern, credentialPattern }: PathPatterns): MaskPath {
  const channels = withIndices(channelPattern)
  const credentials = withIndices(credentialPattern)

  const shown = (path: string, [from, to]: Range): string => {
    // Each question has a line in the log.
    if (credentials === undefined) return path.slice(from, to)
    let text = ''
    let at = from
    for (const [start, end] of groupsIn(credentials, path)) {
      // An inner group lies in an outer one, which is masked already.
      if (end <= at || start >= to) continue
      text += `${path.slice(at, Math.max(at, start))}***`
      at = Math.min(end, to)
    }
    return text + path.slice(at, to)
  }

  return {
    path: (path, length = path.length) => shown(path, [0, length]),
    channel(path) {
      const [found] = channels?.exec(path)?.indices?.slice(1) ?? []
      return shown(path, found === undefined || found[0] === found[1] ? [0, path.length] : found)
    },
  }
}

/** Where the credential of a path ends; undefined where it has none. */
export function createCredentialEnd(pattern: RegExp | undefined): (path: string) => number | undefined {
  const credentials = withIndices(pattern)
  return (path) => {
    const ends = groupsIn(credentials, path).map(([, to]) => to)
    return ends.length === 0 ? undefined : Math.max(...ends)
  }
}

/** The groups of a pattern that are in a path and not empty, from left to right. */
function groupsIn(pattern: RegExp | undefined, path: string): Range[] {
  // A group that took no part is undefined; TypeScript's library does not say so.
  const groups: readonly (Range | undefined)[] = pattern?.exec(path)?.indices?.slice(1) ?? []
  return groups.flatMap((group) => (group !== undefined && group[0] < group[1] ? [group] : [])).sort(byPlace)
}

const byPlace = ([one]: Range, [other]: Range): number => one - other

/** The pattern with the flag `d`, which tells where each group is. */
function withIndices(pattern: RegExp | undefined): RegExp | undefined {
  return pattern === undefined ? undefined : new RegExp(pattern.source, `${pattern.flags}d`)
}
