import { createAltaAuth } from './alta-auth.ts'

/** alta-auth over TCP on the loopback interface. */
export const altaAuthTcp = createAltaAuth({
  letter: 'g',
  name: 'alta-auth, TCP',
  what: 'alta-auth over TCP, with the shipped snippets.',
  slug: 'alta-auth-tcp',
  over: 'tcp',
  cached: false,
})
