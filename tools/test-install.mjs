// npm run test:install: runs the commands of docs/install.md, one after the other, on a clean Debian with
// systemd.

import { ensurePackages } from './prepare.mjs'
import { testWithDocker } from './with-docker.mjs'

ensurePackages()
await testWithDocker(['debian:trixie-slim'], ['test/install/clean-debian.ts'])
