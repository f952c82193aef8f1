/** Whole steps of a path, each a word, anything, or the channel: `^/live/([^/]+)/`. */
const wholeSteps = /^\^(?:\\\/(?:[A-Za-z0-9_-]+|\[\^\\?\/\]\+|\(\[\^\\?\/\]\+\)))+\\\/$/

/** The channel is the first step: nearly every path has one. */
const firstStep = /^\^\\\/\(\[\^[^\]]+\]\+\)(?:\\\/)?$/

/** One character that stands for itself, and what says that it may be missing or come several times. */
const literal = /(?:\\([^A-Za-z0-9])|([^\\^$.*+?()[\]{}|]))([*?{+]?)/y

/**
 * Whether a CHANNEL_PATTERN finds the same channel in all files of a directory, whatever their names. True only for patterns that
 * are plainly made of whole steps from the root; of any other it is not known.
 */
export function tellsOnlyDirectoriesApart(pattern: RegExp): boolean {
  return pattern.flags === '' && wholeSteps.test(pattern.source)
}

/**
 * The text that every path with a channel begins with: `/live/` of `^/live/([^/]+)/`. Undefined where the pattern tells nothing but a
 * slash: without a `^`, with alternatives, with flags.
 */
export function literalBeginning({ source, flags }: RegExp): string | undefined {
  if (flags !== '' || !source.startsWith('^') || hasAlternatives(source)) return undefined
  let text = ''
  literal.lastIndex = 1
  for (let found = literal.exec(source); found !== null; found = literal.exec(source)) {
    const [, escaped, plain, repeated = ''] = found
    // Counted or optional: it may be missing.
    if (repeated !== '' && repeated !== '+') break
    text += escaped ?? plain ?? ''
    if (repeated === '+') break
  }
  return /[^/]/.test(text) ? text : undefined
}

/** Whether a playlist that is of no channel may open the directory of channels: `literalBeginning` does not tell where they lie. */
export function leavesChannelsOpen(pattern: RegExp): boolean {
  return literalBeginning(pattern) === undefined && !firstStep.test(pattern.source)
}

/** Whether a `|` stands outside of all groups and classes. */
function hasAlternatives(source: string): boolean {
  let depth = 0
  let isInClass = false
  for (let at = 0; at < source.length; at++) {
    const sign = source[at]
    if (sign === '\\') at++
    else if (isInClass) isInClass = sign !== ']'
    else if (sign === '[') isInClass = true
    else if (sign === '(') depth++
    else if (sign === ')') depth--
    else if (sign === '|' && depth === 0) return true
  }
  return false
}
