import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  AWAY,
  crash,
  goSilent,
  HOME,
  MINISTRA,
  open,
  opened,
  restart,
  seen,
  start,
  viewerOf,
} from '../support/cookie-machine.ts'
import type { CookieQuestion } from '../support/cookie-request.ts'
import { createMemoryPlace } from '../support/memory-engine.ts'
import { createPretendMachine, type PretendProcess } from '../support/pretend-machine.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

for (const mode of ['on', 'strict'] as const)
  describe(`a session with a cookie, ${mode}`, () => {
    for (const [what, after] of [
      ['a restart', restart],
      ['kill -9', crash],
    ] as const)
      test(`is found by it from any address with any User-Agent after ${what}, not without it`, async (t) => {
        const machine = createPretendMachine(t)
        const { gate, id, value } = await opened(machine, mode)
        const next = await after(machine, gate)
        const others: CookieQuestion[] = [
          { mode },
          { mode, value: 'ThisIsNoValueOfAnybody' },
          { mode, value, origin: 'http://other.example.com' },
          { mode: 'off' },
        ]
        for (const [n, other] of others.entries()) {
          const found = await seen(next, 'one/1.ts', { ...AWAY, userAgent: `other ${n}`, ...other })
          assert.equal(found, 'backend-403', JSON.stringify(other))
        }
        const asked = next.asked.length
        assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY, value }), `adopted ${id}`)
        assert.equal(await seen(next, 'one/2.ts', { mode, ...HOME, value }), `riding ${id}`)
        assert.equal(next.asked.length, asked)
        assert.equal(await seen(next, 'two/1.ts', { mode, ...AWAY, value }), 'backend-403')
      })

    test('has moved, and is found again from a third address and from the first one', async (t) => {
      const machine = createPretendMachine(t)
      const { gate, id, value } = await opened(machine, mode)
      const second = await restart(machine, gate)
      assert.equal(await seen(second, 'one/1.ts', { mode, ...AWAY, value }), `adopted ${id}`)
      const third = await restart(machine, second)
      assert.equal(await seen(third, 'one/1.ts', { mode, value, address: '203.0.113.5' }), `adopted ${id}`)
      assert.equal(third.asked.length, 0)
    })

    test('that is silent resumes with it from another address, for all of its time', async (t) => {
      for (const [hours, isBack] of [
        [0.1, true],
        [9.9, true],
        [10.1, false],
      ] as const) {
        const machine = createPretendMachine(t)
        const { gate, id, value } = await opened(machine, mode)
        await goSilent(gate)
        const next = await crash(machine, gate)
        await next.pass(hours * HOUR - 3 * MINUTE)
        assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY, userAgent: 'other' }), 'backend-403')
        const found = await seen(next, 'one/1.ts', { mode, ...AWAY, value })
        assert.equal(found, isBack ? `resumed ${id}` : 'backend-403', `${hours} h`)
      }
    })

    for (const isSilent of [false, true])
      test(`is not found by another cookie of the same viewer${isSilent ? ', when they are silent' : ''}`, async (t) => {
        const machine = createPretendMachine(t)
        const { gate, id, value } = await opened(machine, mode)
        const neighbour = await open(gate, 'two', { mode })
        assert.notEqual(neighbour.value, value)
        if (isSilent) await goSilent(gate)
        const next = await crash(machine, gate)
        assert.equal(await seen(next, 'two/1.ts', { mode, ...AWAY, value }), 'backend-403')
        assert.deepEqual(
          [...next.sessions.all()].map((session) => session.id),
          isSilent ? [] : [id],
        )
        assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY, value: neighbour.value }), 'backend-403')
        assert.equal(
          await seen(next, 'one/2.ts', { mode, ...AWAY, value }),
          `${isSilent ? 'resumed' : 'riding'} ${id}`,
        )
      })

    test('is not found after its end', async (t) => {
      const ends: Readonly<Record<string, (gate: PretendProcess, id: string) => Promise<unknown>>> = {
        closed: (gate, id) => gate.store.remove({ id, viewer: viewerOf(gate, id) }, { why: 'closed' }),
        'closed with all others': (gate) => gate.store.mark({}),
        denied: (gate, id) => gate.store.end({ id, viewer: viewerOf(gate, id) }, { why: 'denied' }),
      }
      for (const [why, end] of Object.entries(ends)) {
        const machine = createPretendMachine(t)
        const { gate, id, value } = await opened(machine, mode)
        await gate.pass(1)
        await end(gate, id)
        const next = await crash(machine, gate)
        assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY, value }), 'backend-403', why)
        assert.equal(await seen(next, 'one/1.ts', { mode, ...HOME, value }), 'backend-403', why)
      }
    })

    test('is found while another one of its cookie has no time any more', async (t) => {
      const machine = createPretendMachine(t)
      const { gate, id, value } = await opened(machine, mode)
      await open(gate, 'one/hd', { mode, value }, '60')
      await goSilent(gate)
      const next = await restart(machine, gate)
      await next.pass(HOUR)
      assert.equal(await seen(next, 'one/1.ts', { mode, ...AWAY, value }), `resumed ${id}`)
    })

    test('leaves no value in the store', async (t) => {
      const machine = createPretendMachine(t)
      const { gate, value } = await opened(machine, mode)
      await gate.stop()
      const { folder } = machine.place
      const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
      const files = entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
      assert.ok(files.some((text) => text.includes('/live/one/index.m3u8')))
      assert.ok(files.every((text) => !text.includes(value)))
    })

    test('is found by it at another gate of a shared store, until one of them closes it', async (t) => {
      let elapsed = 0
      const records = createMemoryPlace(() => elapsed, true)
      const gates = await Promise.all(
        ['a', 'b', 'c'].map(() => start(createPretendMachine(t), { ...MINISTRA, shared: records.create() })),
      )
      const [a, b, c] = gates
      assert.ok(a && b && c)
      const pass = async (milliseconds: number): Promise<void> => {
        elapsed += milliseconds
        for (const gate of gates) await gate.pass(milliseconds)
      }
      const { id, value } = await open(a, 'one', { mode })
      await pass(500)
      assert.equal(await seen(b, 'one/1.ts', { mode, ...AWAY, userAgent: 'other' }), 'backend-403')
      assert.equal(await seen(b, 'one/1.ts', { mode, ...AWAY, value }), `adopted ${id}`)
      assert.equal(await seen(a, 'one/1.ts', { mode, ...HOME, value }), `riding ${id}`)
      await pass(500)
      await a.store.remove({ id, viewer: viewerOf(a, id) }, { why: 'closed' })
      assert.equal(await seen(c, 'one/1.ts', { mode, ...AWAY, value }), 'backend-403')
    })
  })

test('a second box of the household, at another gate: its own cookie counts there at once', async (t) => {
  const records = createMemoryPlace(() => 0, true)
  const [a, b] = await Promise.all(
    ['a', 'b'].map(() => start(createPretendMachine(t), { ...MINISTRA, shared: records.create() })),
  )
  assert.ok(a && b)
  const first = await open(a, 'one', { mode: 'strict' })
  await a.pass(1_000)
  const second = await open(a, 'one', { mode: 'strict' })
  assert.equal(second.id, first.id)
  assert.notEqual(second.value, first.value)
  for (const { value, id } of [second, first])
    assert.match(await seen(b, 'one/1.ts', { mode: 'strict', ...AWAY, value }), new RegExp(` ${id}$`))
})

test('a strict session is one after a restart, too', async (t) => {
  const machine = createPretendMachine(t)
  const { gate, id, value } = await opened(machine, 'strict')
  const next = await crash(machine, gate)
  const mode = 'strict'
  assert.equal(await seen(next, 'one/1.ts', { mode, ...HOME }), 'backend-403')
  assert.equal(await seen(next, 'one/index.m3u8?token=X', { mode, ...HOME }), `remembered ${id}`)
  assert.equal(await seen(next, 'one/2.ts', { mode, ...HOME }), 'backend-403')
  assert.equal(await seen(next, 'one/2.ts', { mode, ...HOME, value }), `riding ${id}`)
})
