import { setTimeout as sleep } from 'node:timers/promises'
import { forSuite } from '../../support/scope.ts'
import { settingsFor, startValkey } from '../../support/valkey.ts'
import { describeEngine, describeShared, type EngineKind } from '../conformance.ts'
import { openEngine } from './engine-place.ts'

const valkey = forSuite((scope) => startValkey(scope))
let places = 0

const kind: EngineKind = {
  concurrency: 8,
  async place(scope) {
    places += 1
    const settings = settingsFor([valkey], { prefix: `place-${places}:` })
    return { open: () => openEngine(scope, settings), pass: (milliseconds) => sleep(milliseconds) }
  },
}

describeEngine('a store in Valkey', kind)
describeShared('a store in Valkey, for two gates', kind)
