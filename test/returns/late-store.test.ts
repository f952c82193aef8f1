import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientRequest, deny, settled } from '../support/pretend-gate.ts'
import { createPretendMachine, type PretendProcess } from '../support/pretend-machine.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'

const own = clientRequest('/live/one/index.m3u8?token=X')
const requests = [own, clientRequest('/live/one/1.ts')]

/** A gate after a restart, whose disk holds all reads back until it is let go. The viewer's token is dead. */
async function restarted(scope: Scope): Promise<{ gate: PretendProcess; letGo: () => void }> {
  const machine = createPretendMachine(scope)
  const first = await machine.start()
  await first.decide(own)
  await first.stop()
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const gate = await machine.start({
    behind: (engine) => ({
      ...engine,
      async list(viewer) {
        await held
        return engine.list(viewer)
      },
    }),
  })
  gate.answers(() => deny())
  return { gate, letGo }
}

for (const request of requests)
  test(`a store that is late, and answers within a second, still lets a viewer go on: ${request.path}?${request.query}`, async (t) => {
    const { gate, letGo } = await restarted(t)
    const decided = gate.decide(request)
    await gate.pass(100)
    await until('the question beside it', () => gate.asked.length === 1)
    await settled()
    letGo()
    assert.equal((await decided).reason, 'adopted')
    assert.equal((await gate.decide(request)).verdict, 'allow', 'the deny is not remembered')
  })

for (const request of requests)
  test(`nobody waits longer than a second for it: ${request.path}?${request.query}`, async (t) => {
    const { gate, letGo } = await restarted(t)
    const decided = gate.decide(request)
    await gate.pass(100)
    await until('the question beside it', () => gate.asked.length === 1)
    await settled()
    await gate.pass(900)
    assert.equal((await decided).reason, 'backend-403')
    letGo()
    await until('the viewer to go on', async () => (await gate.decide(request)).verdict === 'allow')
  })
