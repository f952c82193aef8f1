import { fileURLToPath } from 'node:url'
import { startSite } from '../start-site.ts'
import { backendLines, backendUpstream } from './backend-location.ts'
import { ALLOW_SECONDS, type Contender } from './contender.ts'

const program = fileURLToPath(new URL('./verdict.njs', import.meta.url))

/** njs in nginx's worker asks the backend and remembers verdicts. */
export const njs: Contender = {
  letter: 'e',
  name: 'njs',
  what: 'auth_request to an njs function with a shared dictionary of 256 MB under the same key; a miss is a subrequest (`r.subrequest`) to the backend.',
  judges: true,
  works: ['hits', 'mixed', 'denies', 'misses'],
  async start(scope, grounds) {
    const site = await startSite(scope, grounds, {
      name: 'njs',
      modules: ['ngx_http_js_module'],
      http: `
  ${backendUpstream(grounds.backend.port)}
  js_import verdict from ${program};
  js_shared_dict_zone zone=verdicts:256m type=number timeout=${ALLOW_SECONDS}s evict;`,
      server: `
    location = /_auth {
      internal;
      js_content verdict.answer;
    }
    location = /_backend {
      internal;${backendLines('$client_query')}
    }`,
      location: `
      set $client_path $uri;
      set $client_query $is_args$args;
      auth_request /_auth;`,
    })
    return { port: site.port, nginx: site.pid, errorLog: site.errorLog }
  },
}
