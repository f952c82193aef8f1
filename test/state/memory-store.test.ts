import { createMemoryPlace } from '../support/memory-store.ts'
import { describeConformance } from './conformance.ts'

describeConformance('a store in memory, of tests', {
  async place() {
    let now = 0
    return {
      create: createMemoryPlace(() => now).create,
      pass: async (milliseconds) => {
        now += milliseconds
      },
    }
  },
})
