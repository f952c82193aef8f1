import { createAltaAuth } from './alta-auth.ts'

/** alta-auth over a Unix socket. */
export const altaAuthUnix = createAltaAuth({
  letter: 'h',
  name: 'alta-auth, Unix socket',
  what: 'alta-auth over a Unix socket, with the shipped snippets.',
  slug: 'alta-auth-unix',
  over: 'unix',
  cached: false,
})
