import { makeMemoryFolder } from '../memory-folder.ts'
import { startSite } from '../start-site.ts'
import { backendLines, backendUpstream } from './backend-location.ts'
import { ALLOW_SECONDS, type Contender, DENY_SECONDS } from './contender.ts'

/** nginx asks the backend directly and keeps its answers in a proxy_cache. */
export const proxyCache: Contender = {
  letter: 'c',
  name: 'proxy_cache',
  what: 'auth_request straight to the backend, with `proxy_cache` under a key of address, origin, whole URI and User-Agent; its files lie in /dev/shm.',
  judges: true,
  works: ['hits', 'mixed', 'denies', 'misses'],
  async start(scope, grounds) {
    const site = await startSite(scope, grounds, {
      name: 'proxy-cache',
      http: `
  ${backendUpstream(grounds.backend.port)}
  proxy_cache_path ${makeMemoryFolder(scope)} levels=1:2 keys_zone=verdicts:64m max_size=1g inactive=1h use_temp_path=off;`,
      server: `
    location = /_auth {
      internal;${backendLines('$client_query')}
      proxy_cache verdicts;
      # The User-Agent last: the other parts hold no space.
      proxy_cache_key "$remote_addr $scheme://$http_host$request_uri $http_user_agent";
      proxy_cache_valid 200 ${ALLOW_SECONDS}s;
      proxy_cache_valid 401 403 ${DENY_SECONDS}s;
      proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
      proxy_cache_lock on;
      proxy_cache_use_stale error timeout;
    }`,
      location: `
      # In the subrequest $uri and $args are its own.
      set $client_path $uri;
      set $client_query $is_args$args;
      auth_request /_auth;`,
    })
    return { port: site.port, nginx: site.pid, errorLog: site.errorLog }
  },
}
