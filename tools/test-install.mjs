// npm run test:install: runs the commands of docs/install.md, one after the other, on a clean Debian with
// systemd: once with the Debian package, once with the npm package.

import { ensurePackages, ensurePrograms } from './prepare.mjs'
import { programsFor } from './test-needs.mjs'
import { testWithDocker } from './with-docker.mjs'

const files = ['test/install/deb-package.ts', 'test/install/npm-package.ts']

ensurePackages()
ensurePrograms(programsFor(files))
await testWithDocker(['debian:trixie-slim'], files)
