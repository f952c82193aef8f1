import { startSite } from '../start-site.ts'
import { backendLines, backendUpstream } from './backend-location.ts'
import { ALLOW_SECONDS, type Contender, DENY_SECONDS } from './contender.ts'

const program = `
  local verdicts = ngx.shared.verdicts
  local var = ngx.var
  local key = var.remote_addr .. " " .. var.scheme .. "://" .. (var.http_host or "") .. var.request_uri .. " " .. (var.http_user_agent or "")
  local status = verdicts:get(key)
  if not status then
    local answer = ngx.location.capture("/_backend", { args = var.args, share_all_vars = true })
    if answer.status >= 500 then return ngx.exit(403) end
    status = answer.status == 200 and 200 or 403
    verdicts:set(key, status, status == 200 and ${ALLOW_SECONDS} or ${DENY_SECONDS})
  end
  if status ~= 200 then return ngx.exit(403) end`

/** Lua in nginx's worker asks the backend and remembers verdicts. */
export const lua: Contender = {
  letter: 'd',
  name: 'Lua',
  what:
    'Lua in the worker with a shared dictionary of 256 MB under the same key; a miss is a subrequest (`ngx.location.capture`) to the backend, ' +
    'since Debian has no lua-resty-http.',
  judges: true,
  works: ['hits', 'mixed', 'denies', 'misses'],
  async start(scope, grounds) {
    const site = await startSite(scope, grounds, {
      name: 'lua',
      modules: ['ndk_http_module', 'ngx_http_lua_module'],
      http: `
  ${backendUpstream(grounds.backend.port)}
  lua_shared_dict verdicts 256m;`,
      server: `
    location = /_backend {
      internal;${backendLines('$is_args$args')}
    }`,
      location: `
      set $client_path $uri;
      access_by_lua_block {${program}
      }`,
    })
    return { port: site.port, nginx: site.pid, errorLog: site.errorLog }
  },
}
