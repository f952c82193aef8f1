import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAddressGroupsOf, usualPrefixes } from '../../src/address.ts'
import { type Admission, type Applicant, createLine, type Line } from '../../src/backend/line.ts'
import { createChance } from '../support/create-chance.ts'

/** Milliseconds: longer than any test here takes. */
const LONG = 4_000
const groupsOf = createAddressGroupsOf(usualPrefixes)

const from = (address: string, more: Partial<Omit<Applicant, 'groups'>> = {}): Applicant => ({
  groups: groupsOf(address),
  occasion: 'question',
  knownViewer: undefined,
  bytes: 100,
  ...more,
})

interface Held {
  readonly line: Line
  /** Who got a place, in order. */
  readonly seated: string[]
  /** Asks for a place for `name`, which is added to `seated` when it has one. */
  enter(name: string, applicant: Applicant, budget?: number): Promise<Admission>
  /** Gives back the place of `name`. */
  leave(name: string): void
  setLimit(limit: number): void
}

function createHeld(limit: number, length = 1_000, bytes = 1_000_000, lent = limit): Held {
  let places = limit
  const line = createLine({ places: () => ({ limit: places, lent }), length, bytes })
  const seated: string[] = []
  const release = new Map<string, () => void>()
  return {
    line,
    seated,
    async enter(name, applicant, budget = LONG) {
      const admission = await line.enter(applicant, budget)
      if (admission.kind === 'place') {
        seated.push(name)
        release.set(name, admission.release)
      }
      return admission
    },
    leave: (name) => release.get(name)?.(),
    setLimit(next) {
      places = next
      line.advance()
    },
  }
}

/** So many of these addresses ask. The first to have a place stand first. */
function crowd(held: Held, name: string, count: number, address: (n: number) => string) {
  return Array.from({ length: count }, (_, n) => held.enter(`${name}${n}`, from(address(n))))
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function heldBy(count: number, address: (n: number) => string, limit = 64): Promise<number> {
  const held = createHeld(limit)
  void crowd(held, 'a', count, address)
  await settled()
  return held.seated.length
}

describe('where places are free', () => {
  const rows: readonly [what: string, (n: number) => string][] = [
    ['an IPv4 address', () => '192.0.2.1'],
    ['a /24', (n) => `192.0.2.${n}`],
    ['a /64', (n) => `2001:db8::${n.toString(16)}`],
    ['a /56', (n) => `2001:db8:0:${n.toString(16)}::1`],
    ['a /48', (n) => `2001:db8:0:${(n * 257).toString(16)}::1`],
  ]
  for (const [what, address] of rows) {
    test(`${what} may have all but the last quarter`, async () =>
      assert.equal(await heldBy(100, address), 48))
  }
  test('nor do two of them have the last quarter', async () =>
    assert.equal(await heldBy(100, (n) => `192.0.${n % 2}.1`), 48))
  test('those who hold less than their share have all', async () =>
    assert.equal(await heldBy(100, (n) => `10.${n}.0.1`), 64))
  test('with four places in all, one is kept', async () =>
    assert.equal(await heldBy(10, () => '192.0.2.1', 4), 3))
})

test('what is not lent stays free: an address has its share, and one more for each that is lent', async () => {
  for (const lent of [0, 1, 20]) {
    const held = createHeld(64, 1_000, 1_000_000, lent)
    void crowd(held, 'a', 100, () => '192.0.2.1')
    await settled()
    assert.equal(held.seated.length, 16 + lent)
  }
})

describe('where others wait', () => {
  const rows: readonly [what: string, share: number, (n: number) => string][] = [
    ['an IPv4 address', 16, () => '192.0.2.1'],
    ['a /24', 32, (n) => `192.0.2.${n % 250}`],
    ['a /64', 16, (n) => `2001:db8::${(n % 250).toString(16)}`],
    ['a /56', 24, (n) => `2001:db8:0:${(n % 250).toString(16)}::1`],
    ['a /48', 32, (n) => `2001:db8:0:${((n % 250) * 257).toString(16)}::1`],
  ]
  for (const [what, share, address] of rows) {
    test(`${what} has ${share} of 64 places, and others get what it gives back`, async () => {
      const held = createHeld(64)
      void crowd(held, 'hog', 200, address)
      // Others from everywhere, more than there are places.
      void crowd(held, 'other', 400, (n) =>
        `10.${n}.0.1`.replace(/\d{3,}/, (text) => `${Number(text) % 250}`),
      )
      await settled()
      // All give their places back in turn, the greedy address first: it never has more than its share again.
      for (let n = 0; n < 48; n++) held.leave(`hog${n}`)
      await settled()
      const back = held.seated.filter((name) => name.startsWith('hog')).length - 48
      assert.ok(back <= share, `${back} places of its own again`)
      assert.equal(held.line.held(), 64)
    })
  }

  test('each address has its turn, however many questions another one has in the line', async () => {
    const held = createHeld(4)
    void crowd(held, 'a', 50, () => '192.0.2.1')
    void crowd(held, 'b', 2, () => '198.51.100.1')
    void crowd(held, 'c', 2, () => '203.0.113.1')
    await settled()
    assert.deepEqual(held.seated, ['a0', 'a1', 'a2', 'b0'])
    for (const name of ['a0', 'a1', 'a2']) held.leave(name)
    await settled()
    assert.deepEqual(held.seated.slice(4), ['c0', 'a3'])
  })

  test('networks take turns before their addresses do', async () => {
    const held = createHeld(8)
    void crowd(held, 'x', 8, (n) => `10.9.${n}.1`)
    await settled()
    void crowd(held, 'many', 20, (n) => `192.0.2.${n}`)
    void crowd(held, 'one', 2, () => '198.51.100.1')
    for (let n = 0; n < 4; n++) held.leave(`x${n}`)
    await settled()
    assert.deepEqual(held.seated.slice(8), ['many0', 'one0', 'many1', 'one1'])
  })

  test('whom a backend has allowed lately goes before unknown viewers, and not with more than four questions', async () => {
    const held = createHeld(4)
    void crowd(held, 'x', 4, (n) => `10.9.${n}.1`)
    await settled()
    void crowd(held, 'stranger', 3, () => '192.0.2.1')
    for (let n = 0; n < 6; n++) void held.enter(`known${n}`, from('192.0.2.1', { knownViewer: 'viewer' }))
    for (let left = 0; left < held.seated.length; left++) {
      held.leave(held.seated[left] ?? '')
      await settled()
    }
    assert.deepEqual(held.seated.slice(4), [
      ...['known0', 'known1', 'known2', 'known3'],
      ...['stranger0', 'stranger1', 'stranger2', 'known4', 'known5'],
    ])
  })

  test("an address's questions do not put off its re-checks", async () => {
    const held = createHeld(64)
    void crowd(held, 'flood', 200, () => '192.0.2.1')
    await settled()
    assert.equal(held.seated.length, 48)
    const recheck = held.line.enter(from('192.0.2.1', { occasion: 're-check', knownViewer: 'viewer' }), LONG)
    assert.equal((await recheck).kind, 'place')
  })
})

describe('the line', () => {
  test('holds a quarter of its length for one address, half for a network; what is beyond is its own excess at once', async () => {
    for (const [address, room] of [
      [() => '192.0.2.1', 25],
      [(n: number) => `192.0.2.${n % 250}`, 50],
    ] as const) {
      const held = createHeld(4, 100)
      const all = crowd(held, 'a', 3 + room + 5, address)
      await settled()
      assert.equal(held.line.waiting(), room)
      for (const one of all.slice(3 + room)) assert.deepEqual(await one, { kind: 'excess', waited: false })
    }
  })

  test('holds no more bytes of one address than a quarter', async () => {
    const held = createHeld(4, 1_000, 40_000)
    const all = Array.from({ length: 13 }, (_, n) => held.enter(`${n}`, from('192.0.2.1', { bytes: 1_000 })))
    await settled()
    assert.equal(held.line.waiting(), 10)
    const more = Array.from({ length: 2 }, () => held.enter('more', from('192.0.2.1', { bytes: 1_000 })))
    assert.deepEqual(await Promise.all(more), Array(2).fill({ kind: 'excess', waited: false }))
    assert.equal(all.length, 13)
  })

  test('that is full of everybody is overload', async () => {
    const held = createHeld(4, 100)
    void crowd(held, 'a', 104, (n) => `10.${n}.0.1`)
    await settled()
    assert.equal(held.line.waiting(), 100)
    assert.deepEqual(await held.enter('late', from('192.0.2.1')), { kind: 'overload' })
  })

  test('makes room for a known viewer where unknown viewers of the same address fill it', async () => {
    const held = createHeld(4, 100)
    const strangers = crowd(held, 's', 28, () => '192.0.2.1')
    await settled()
    void held.enter('known', from('192.0.2.1', { knownViewer: 'viewer' }))
    assert.deepEqual(await strangers[27], { kind: 'excess', waited: false })
    held.leave('s0')
    await settled()
    assert.equal(held.seated.at(-1), 'known')
  })

  test('sends away after half of the time, and behind their own after three quarters', async () => {
    const held = createHeld(4)
    void crowd(held, 'x', 4, (n) => `10.9.${n}.1`)
    await settled()
    const took = async (address: string): Promise<[string, number]> => {
      const began = performance.now()
      const { kind } = await held.enter('late', from(address), 200)
      return [kind, performance.now() - began]
    }
    const [[first, halfTime], [second, longer]] = await Promise.all([took('192.0.2.1'), took('192.0.2.1')])
    assert.deepEqual([first, second], ['overload', 'excess'])
    assert.ok(halfTime >= 99 && longer >= 149 && longer > halfTime, `${halfTime} and ${longer} ms`)
    assert.equal(held.line.waiting(), 0)
  })

  test('serves a known viewer who took the room of the last one that waited there', async () => {
    const held = createHeld(4, 4)
    void crowd(held, 'x', 4, (n) => `10.9.${n}.1`)
    void crowd(held, 'y', 3, (n) => `10.8.${n}.1`)
    await settled()
    const stranger = held.enter('stranger', from('192.0.2.1'))
    await settled()
    const known = held.enter('known', from('192.0.2.1', { knownViewer: 'viewer' }))
    assert.equal((await stranger).kind, 'overload')
    for (const name of ['x0', 'x1', 'x2', 'x3']) held.leave(name)
    assert.equal((await known).kind, 'place')
  })

  test('lets an unknown viewer go first after four known ones, so that nobody starves', async () => {
    const held = createHeld(4)
    void crowd(held, 'x', 4, (n) => `10.9.${n}.1`)
    await settled()
    for (let n = 0; n < 8; n++)
      void held.enter(`known${n}`, from('192.0.2.1', { knownViewer: `viewer ${n}` }))
    void held.enter('newcomer', from('192.0.2.1'))
    await settled()
    for (let left = 0; left < held.seated.length; left++) {
      held.leave(held.seated[left] ?? '')
      await settled()
    }
    assert.equal(held.seated.indexOf('newcomer'), 8)
  })

  test('gives a place back once, however often it is given back', async () => {
    const held = createHeld(4)
    const admission = await held.enter('a', from('192.0.2.1'))
    assert.ok(admission.kind === 'place')
    for (let n = 0; n < 3; n++) admission.release()
    assert.equal(held.line.held(), 0)
  })

  test('moves on when there are more places than before', async () => {
    const held = createHeld(4)
    void crowd(held, 'x', 8, (n) => `10.9.${n}.1`)
    await settled()
    held.setLimit(8)
    await settled()
    assert.equal(held.line.held(), 8)
    held.setLimit(4)
    held.leave('x0')
    assert.equal(held.line.held(), 7)
  })

  test('a look changes nothing', async () => {
    const held = createHeld(4, 100)
    assert.equal(held.line.look(from('192.0.2.1')), 'place')
    void crowd(held, 'x', 28, () => '192.0.2.1')
    await settled()
    assert.equal(held.line.look(from('192.0.2.1')), 'excess')
    assert.equal(held.line.look(from('198.51.100.1')), 'place')
    assert.deepEqual([held.line.held(), held.line.waiting()], [3, 25])
  })
})

test('whatever comes and goes, places are counted right, no free one is refused, and nothing is left', async () => {
  for (let run = 1; run <= 10; run++) {
    const random = createChance(run)
    const held = createHeld(4 + Math.floor(random() * 20), 40)
    const inside: string[] = []
    const entering: Promise<unknown>[] = []
    for (let step = 0; step < 400; step++) {
      const name = `${step}`
      if (random() < 0.6) {
        const network = Math.floor(random() * 4)
        const known = random() < 0.3 ? { knownViewer: `v${network}` } : {}
        const applicant = from(`192.0.${network}.${Math.floor(random() * 3)}`, known)
        const looked = held.line.look(applicant)
        const entered = held.enter(name, applicant).then(({ kind }) => {
          if (kind === 'place') inside.push(name)
          else assert.notEqual(looked, 'place')
        })
        entering.push(entered)
      } else {
        const [gone] = inside.splice(Math.floor(random() * inside.length), 1)
        if (gone !== undefined) held.leave(gone)
      }
      if (random() < 0.1) held.setLimit(4 + Math.floor(random() * 20))
      await settled()
      assert.equal(held.line.held(), inside.length)
    }
    held.setLimit(1_000)
    for (let rest = 0; rest < 10; rest++) {
      await settled()
      for (const name of inside.splice(0)) held.leave(name)
    }
    await Promise.all(entering)
    assert.deepEqual([held.line.held(), held.line.waiting()], [0, 0])
  }
})
