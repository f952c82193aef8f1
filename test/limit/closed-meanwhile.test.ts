import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StoredUsers } from '../../src/limit/limit-options.ts'
import type { UserText } from '../../src/state/user-texts.ts'
import { createLimitedGate } from '../support/limited-gate.ts'
import { settled } from '../support/pretend-gate.ts'

/** Users of several gates, whose answers may be held back. */
function createHeldUsers() {
  let held: (() => void)[] | undefined
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      if (held === undefined) resolve()
      else held.push(resolve)
    })
  let version = 0
  let written: UserText | undefined
  const shared: StoredUsers = {
    texts: {
      isShared: true,
      isUsable: () => true,
      async read() {
        await wait()
        return written
      },
      async write(_user, text) {
        await wait()
        written = { text, version: Buffer.of(version++ % 256) }
        return written
      },
      now: () => Math.round(performance.now()),
    },
    gate: 'one',
    endElsewhere() {},
    onAlone() {},
  }
  return {
    shared,
    hold() {
      held = []
    },
    async release() {
      const waiting = held ?? []
      held = undefined
      for (const go of waiting) go()
      await settled()
    },
  }
}

describe('while other gates are heard about a user', () => {
  const grant = { userId: '42', maxSessions: '2', authDuration: '36000' }

  test('a silent session that is closed then does not go on', async () => {
    const users = createHeldUsers()
    const gate = createLimitedGate({ store: true, shared: users.shared, grant })
    const viewer = gate.viewer('tv')
    assert.equal(await viewer.open('news'), 'allow backend-200')
    gate.pass(125_000)
    await settled()
    gate.pass(100)
    await settled()
    assert.equal(gate.sessions.count(), 0)
    users.hold()
    const answer = viewer.segment('news')
    await settled()
    await gate.stored.mark({ user: '42' })
    await users.release()
    assert.equal(await answer, 'deny backend-403')
    assert.equal(gate.sessions.count(), 0)
  })

  test('a closing is not about a session that opens after it', async () => {
    const users = createHeldUsers()
    const gate = createLimitedGate({ store: true, shared: users.shared, grant })
    const viewer = gate.viewer('tv')
    users.hold()
    const answer = viewer.open('news')
    await settled()
    await gate.stored.mark({ user: '42' })
    gate.pass(5)
    await users.release()
    assert.equal(await answer, 'allow backend-200')
    gate.pass(100)
    await settled()
    await gate.crash()
    assert.equal(await viewer.segment('news'), 'allow adopted')
  })
})
