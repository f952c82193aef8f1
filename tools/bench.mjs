// npm run bench: installs what is missing, then runs the bench in this terminal. Ctrl-C ends everything.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureBuilt, ensurePackages, ensurePrograms, root } from './prepare.mjs'

ensurePackages()
ensurePrograms({
  nginx: 'nginx-light',
  '/usr/lib/nginx/modules/ngx_http_lua_module.so': 'libnginx-mod-http-lua',
  '/usr/lib/nginx/modules/ngx_http_js_module.so': 'libnginx-mod-http-js',
  wrk: 'wrk',
})
ensureBuilt()

const bench = spawn(
  process.execPath,
  ['--import', 'tsx', join(root, 'bench', 'bench.ts'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
// Ctrl-C reaches the bench, too. This process waits for it, so that the prompt comes back last.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => bench.kill('SIGTERM'))
bench.on('exit', (code) => process.exit(code ?? 1))
