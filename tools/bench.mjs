// npm run bench, npm run kick-off: installs what is missing, then runs this file of bench/ in this terminal.
// Ctrl-C ends everything.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureBuilt, ensurePackages, ensurePrograms, root } from './prepare.mjs'
import { programsFor } from './test-needs.mjs'

const [name = '', ...parameters] = process.argv.slice(2)
const file = join(root, 'bench', name)

ensurePackages()
ensurePrograms(programsFor([file]))
ensureBuilt()

const bench = spawn(process.execPath, ['--import', 'tsx', file, ...parameters], {
  cwd: root,
  stdio: 'inherit',
})
// Ctrl-C reaches the bench, too. This process waits for it, so that the prompt comes back last.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => bench.kill('SIGTERM'))
bench.on('exit', (code) => process.exit(code ?? 1))
