// npm run demo: installs what is missing, then runs the demo in this terminal. Ctrl-C ends everything.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureBuilt, ensurePackages, ensurePrograms, root } from './prepare.mjs'

ensurePackages()
ensurePrograms({ nginx: 'nginx-light' })
ensureBuilt()

const demo = spawn(process.execPath, ['--import', 'tsx', join(root, 'demo', 'demo.ts')], {
  cwd: root,
  stdio: 'inherit',
})
// Ctrl-C reaches the demo, too. This process waits for it, so that the prompt comes back last.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => demo.kill('SIGTERM'))
process.on('SIGHUP', () => demo.kill('SIGHUP'))
demo.on('exit', (code) => process.exit(code ?? 1))
