/** The command ended as it should. */
export const ENDED = 0
/** It could not start, it broke, or a check failed. */
export const FAILED = 1
/** The settings or the command line are wrong. */
export const MISTAKEN = 2
