import { setTimeout as delay } from 'node:timers/promises'
import { isLong } from '../../support/rounds.ts'
import type { Scope } from '../../support/scope.ts'
import { settingsFor, startCluster, startValkey, type ValkeyServer } from '../../support/valkey.ts'
import { describeEngine, describeShared, type EngineKind } from '../conformance.ts'
import { openEngine } from './engine-place.ts'

function kindOf(
  start: (scope: Scope) => Promise<readonly ValkeyServer[]>,
  kind: 'single' | 'cluster',
): EngineKind {
  return {
    concurrency: 4,
    async place(scope) {
      const servers = await start(scope)
      return {
        open: () => openEngine(scope, settingsFor(servers, { mode: { kind } })),
        pass: (milliseconds) => delay(milliseconds),
      }
    },
  }
}

const one = kindOf(async (scope) => [await startValkey(scope, { unix: true })], 'single')
describeEngine('a store in Valkey', one)
describeShared('a store in Valkey, shared', one)

const parted = kindOf(startCluster, 'cluster')
// All of it again for three servers takes twice as long as for one.
if (isLong) describeEngine('a store in a cluster', { ...parted, concurrency: 2 })
describeShared('a store in a cluster, shared', { ...parted, concurrency: 2 })
