// npm run test:compose: uses docker-compose.yml and docker-compose.cluster.yml as a person does. Images are
// real when Docker can pull them, else stand-ins.

import { ensurePackages, ensurePrograms } from './prepare.mjs'
import { testWithDocker } from './with-docker.mjs'

ensurePackages()
ensurePrograms({ chromium: 'chromium' })
await testWithDocker(
  ['node:24-slim', 'nginx:1.28', 'php:8.4-cli', 'valkey/valkey:8'],
  ['test/compose/gate-alone.ts', 'test/compose/stack.ts', 'test/compose/cluster.ts'],
)
