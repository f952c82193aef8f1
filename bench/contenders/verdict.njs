// Runs in nginx's worker: see njs.ts. Milliseconds.
const ALLOW_TTL = 3600000
const DENY_TTL = 300000

function answer(r) {
  const v = r.variables
  const key = `${v.remote_addr} ${v.scheme}://${v.http_host}${v.request_uri} ${v.http_user_agent}`
  const status = ngx.shared.verdicts.get(key)
  if (status !== undefined) r.return(status)
  else ask(r, key)
}

async function ask(r, key) {
  const reply = await r.subrequest('/_backend')
  const status = reply.status === 200 ? 204 : 403
  if (reply.status < 500) ngx.shared.verdicts.set(key, status, status === 204 ? ALLOW_TTL : DENY_TTL)
  r.return(status)
}

export default { answer }
