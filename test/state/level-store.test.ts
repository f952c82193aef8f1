import { describeConformance, type StoreKind } from './conformance.ts'
import { makeLevelPlace } from './level-place.ts'

const secret = 'a secret of thirty-two characters'

function levelWith(secrets: readonly string[]): StoreKind {
  return {
    async place(scope) {
      const place = makeLevelPlace(scope)
      return {
        create: (configuration = 'one') => place.create({ configuration, secrets }),
        pass: async (milliseconds) => place.pass(milliseconds),
      }
    },
  }
}

describeConformance('LevelDB, in clear', levelWith([]))
describeConformance('LevelDB, sealed', levelWith([secret]))
describeConformance('LevelDB, sealed, in the middle of a rotation', levelWith([secret, 'the one before']))
