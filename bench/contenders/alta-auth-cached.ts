import { createAltaAuth } from './alta-auth.ts'

/** alta-auth with nginx's verdict cache. */
export const altaAuthCached = createAltaAuth({
  letter: 'i',
  name: 'alta-auth, nginx cache',
  what: 'alta-auth over a Unix socket behind the verdict cache of nginx (`cache-http.conf`), `NGINX_TTL` of 10 s as shipped.',
  slug: 'alta-auth-cached',
  over: 'unix',
  cached: true,
})
