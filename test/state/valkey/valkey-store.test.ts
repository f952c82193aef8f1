import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import { describeConformance, type StoreKind } from '../conformance.ts'
import { makeValkeyPlace } from './valkey-place.ts'

const secret = 'a secret of thirty-two characters'
const older = 'the secret of thirty-two before it'

function valkeyWith(settings: Partial<ValkeySettings>): StoreKind {
  return {
    concurrency: 6,
    async place(scope) {
      const place = await makeValkeyPlace(scope, undefined, settings)
      return { create: (configuration = 'one') => place.create({}, { configuration }), pass: place.pass }
    },
  }
}

describeConformance('Valkey', valkeyWith({ secrets: [secret] }))
describeConformance('Valkey, in the middle of a rotation', valkeyWith({ secrets: [secret, older] }))
