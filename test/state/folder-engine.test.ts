import { describeEngine } from './conformance.ts'
import { makeFolderPlace } from './folder-place.ts'

describeEngine('a store in a folder', {
  async place(scope) {
    const place = makeFolderPlace(scope)
    return {
      async open() {
        const engine = place.create()
        scope.after(() => engine.close())
        await engine.open()
        return engine
      },
      pass: async (milliseconds) => place.pass(milliseconds),
    }
  },
})
