import { posix } from 'node:path'
import type { Directive } from './directive.ts'
import { readDirectives } from './read-directives.ts'

/** nginx's whole configuration as `nginx -T` prints it. */
interface Dump {
  /** Each include is replaced by the directives that it includes. */
  readonly directives: readonly Directive[]
  readonly files: readonly string[]
}

const MAX_DEPTH = 20

/** Reads the standard output of `nginx -T`: each file behind a comment with its name, the main file first. */
export function readDump(text: string): Dump {
  const files = new Map<string, Directive[]>()
  const [, ...parts] = text.split(/^# configuration file (.+):\n/m)
  for (let at = 0; at < parts.length; at += 2) {
    const file = parts[at] ?? ''
    files.set(file, readDirectives(parts[at + 1] ?? '', file))
  }
  const [main = ''] = files.keys()
  const folder = posix.dirname(main)

  const filesOf = (pattern: string): string[] => {
    const whole = posix.isAbsolute(pattern) ? pattern : posix.join(folder, pattern)
    const glob = globOf(whole)
    return [...files.keys()].filter((file) => file === whole || glob.test(file)).sort()
  }
  const expand = (directives: readonly Directive[], depth: number): Directive[] =>
    directives.flatMap((directive) => {
      if (directive.name === 'include' && depth < MAX_DEPTH) {
        return filesOf(directive.args[0] ?? '').flatMap((file) => expand(files.get(file) ?? [], depth + 1))
      }
      if (directive.block === undefined) return [directive]
      return [{ ...directive, block: expand(directive.block, depth) }]
    })
  return { directives: expand(files.get(main) ?? [], 0), files: [...files.keys()] }
}

/** A pattern of glob(3), with the parts of it that configurations use. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('[!', '[^')
  try {
    return new RegExp(`^${source}$`)
  } catch {
    return /^$/
  }
}
