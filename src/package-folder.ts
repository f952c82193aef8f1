import { fileURLToPath } from 'node:url'

/** The folder of the package, with a slash at its end. It holds src/, and dist/ with the one file made of it. */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url))
