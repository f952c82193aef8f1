/** What begins with `from` leads to what begins with `to`; the rest of both is the same. */
export interface Mapping {
  /** The beginning of a path on the site. */
  readonly from: string
  /** A folder, or a path at a proxied server: `//127.0.0.1:8080/live/`. */
  readonly to: string
}

/** Where a path leads; undefined when it is none of this mapping. */
export function follow({ from, to }: Mapping, path: string): string | undefined {
  return path.startsWith(from) ? to + path.slice(from.length) : undefined
}

/** The path that leads to a target; undefined when none of this mapping does. */
export function trace({ from, to }: Mapping, target: string): string | undefined {
  return target.startsWith(to) ? from + target.slice(to.length) : undefined
}
