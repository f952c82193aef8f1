/** Whole steps of a path, each a word, anything, or the channel: `^/live/([^/]+)/`. */
const wholeSteps = /^\^(?:\\\/(?:[A-Za-z0-9_-]+|\[\^\\?\/\]\+|\(\[\^\\?\/\]\+\)))+\\\/$/

/**
 * Whether a CHANNEL_PATTERN finds the same channel in all files of a directory, whatever their names. True only for patterns that
 * are plainly made of whole steps from the root; of any other it is not known.
 */
export function tellsOnlyDirectoriesApart(pattern: RegExp): boolean {
  return pattern.flags === '' && wholeSteps.test(pattern.source)
}
