/** 0 ended as asked. */
export const ENDED = 0
/** Could not start, or broke; or a check failed. */
export const FAILED = 1
/** The settings or the command line are not right. */
export const MISTAKEN = 2
