// npm run test:compose: docker-compose.yml as a person uses it, with real images where Docker can pull them and stand-ins elsewhere.

import { ensurePackages, ensurePrograms } from './prepare.mjs'
import { testWithDocker } from './with-docker.mjs'

ensurePackages()
ensurePrograms({ chromium: 'chromium' })
await testWithDocker(
  ['node:24-slim', 'nginx:1.28', 'php:8.4-cli'],
  ['test/compose/gate-alone.ts', 'test/compose/stack.ts'],
)
