import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAddressGroupsOf, usualPrefixes } from '../../src/address.ts'
import { type Admission, type Applicant, createLine, LENGTH, type Line } from '../../src/backend/line.ts'
import { createChance } from '../support/create-chance.ts'
import { createPretendTime, type PretendTime } from '../support/pretend-time.ts'

/** Milliseconds that a question waits. */
const PATIENCE = 1_000
const groupsOf = createAddressGroupsOf(usualPrefixes)

const from = (address: string, traffic: Applicant['traffic'] = 'unknown'): Applicant => ({
  groups: groupsOf(address),
  traffic,
})

interface Held {
  readonly line: Line
  readonly time: PretendTime
  /** Who got a place, in order. */
  readonly seated: string[]
  /** Asks for a place for `name`, which is added to `seated` when it has one. */
  enter(name: string, applicant: Applicant): Promise<Admission>
  /** Gives back the place of `name`. */
  leave(name: string): void
  setLimit(limit: number): void
}

function createHeld(limit: number): Held {
  let places = limit
  const time = createPretendTime()
  const line = createLine(() => places, time.after)
  const seated: string[] = []
  const release = new Map<string, () => void>()
  return {
    line,
    time,
    seated,
    async enter(name, applicant) {
      const admission = await line.enter(applicant, PATIENCE)
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

const inNetwork = (n: number): string => `192.0.2.${n % 250}`
const anywhere = (n: number): string => `10.${n >> 8}.${n & 255}.1`

describe('of 64 places', () => {
  const rows: readonly [what: string, places: number, address: (n: number) => string][] = [
    ['an IPv4 address alone gets three quarters', 48, () => '192.0.2.1'],
    ['a /24 alone gets four fifths', 51, inNetwork],
    ['a /64 is one client', 48, (n) => `2001:db8::${n.toString(16)}`],
    ['a /56 is no group of its own', 51, (n) => `2001:db8:0:${n.toString(16)}::1`],
    ['a /48 alone gets four fifths', 51, (n) => `2001:db8:0:${(n * 257).toString(16)}::1`],
    ['two greedy addresses get equal parts, and leave a third of one', 54, (n) => `192.0.${n % 2}.1`],
    ['those who want one each get all', 64, anywhere],
  ]
  for (const [what, places, address] of rows)
    test(what, async () => assert.equal(await heldBy(200, address), places))
})

test('whoever asks, one place of four is left', async () => {
  assert.equal(await heldBy(10, () => '192.0.2.1', 4), 3)
  assert.equal(await heldBy(10, inNetwork, 4), 3)
})

test('of n greedy networks each gets an equal part, and as much stays free for everybody else', async () => {
  for (const networks of [1, 2, 4, 8]) {
    const held = createHeld(64)
    void crowd(held, 'a', 400, (n) => `192.0.${n % networks}.${n % 100}`)
    await settled()
    const ofEach = Array.from(
      { length: networks },
      (_, network) => held.seated.filter((name) => Number(name.slice(1)) % networks === network).length,
    )
    assert.ok(Math.max(...ofEach) - Math.min(...ofEach) <= 1, `${ofEach}`)
    assert.ok(64 - held.seated.length >= Math.max(...ofEach) / 4, `${ofEach}`)
    assert.equal((await held.line.enter(from('203.0.113.1'), PATIENCE)).kind, 'place')
  }
})

test('what others take a greedy address does not get back', async () => {
  const held = createHeld(64)
  void crowd(held, 'hog', 200, () => '192.0.2.1')
  void crowd(held, 'other', 400, anywhere)
  await settled()
  for (let n = 0; n < 48; n++) held.leave(`hog${n}`)
  await settled()
  const back = held.seated.filter((name) => name.startsWith('hog')).length - 48
  assert.ok(back <= 1, `${back} places of its own again`)
  assert.equal(held.line.held(), 64)
})

describe('who waits', () => {
  test('has their turn by address, however many questions another one has in the line', async () => {
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

  test('has their turn by network before addresses do', async () => {
    const held = createHeld(8)
    void crowd(held, 'x', 8, (n) => `10.9.${n}.1`)
    await settled()
    void crowd(held, 'many', 20, (n) => `192.0.2.${n}`)
    void crowd(held, 'one', 2, () => '198.51.100.1')
    for (let n = 0; n < 5; n++) held.leave(`x${n}`)
    await settled()
    assert.deepEqual(held.seated.slice(8), ['many0', 'one0', 'many1', 'one1'])
  })

  test('has their turn by class: new viewers, those whom a backend allowed, and re-checks', async () => {
    const held = createHeld(6)
    void crowd(held, 'x', 6, anywhere)
    await settled()
    for (const traffic of ['unknown', 'known', 're-check'] as const)
      for (let n = 0; n < 2; n++) void held.enter(`${traffic}${n}`, from(`198.51.${n}.1`, traffic))
    for (let n = 0; n < 6; n++) held.leave(`x${n}`)
    await settled()
    const inTurn = ['unknown0', 'known0', 're-check0', 'unknown1', 'known1', 're-check1']
    assert.deepEqual(held.seated.slice(6), inTurn)
  })

  test('is not put off by new viewers of the same address, if a backend has allowed them', async () => {
    for (const traffic of ['known', 're-check'] as const) {
      const held = createHeld(64)
      void crowd(held, 'flood', 200, () => '192.0.2.1')
      await settled()
      assert.equal((await held.line.enter(from('192.0.2.1', traffic), PATIENCE)).kind, 'place')
    }
  })

  test('is sent away when their time is over', async () => {
    const held = createHeld(4)
    void crowd(held, 'x', 4, anywhere)
    const late = held.enter('late', from('192.0.2.1'))
    await held.time.pass(PATIENCE - 1)
    assert.equal(held.line.waiting(), 1)
    await held.time.pass(1)
    assert.deepEqual(await late, { kind: 'none', waited: true })
    assert.deepEqual([held.line.waiting(), held.time.set()], [0, 0])
  })

  test('moves on when there are more places than before', async () => {
    const held = createHeld(4)
    void crowd(held, 'x', 8, anywhere)
    await settled()
    held.setLimit(8)
    await settled()
    assert.equal(held.line.held(), 8)
    held.setLimit(4)
    held.leave('x0')
    assert.equal(held.line.held(), 7)
  })
})

describe('the line', () => {
  test('is shared out as the places are; what is beyond is denied at once', async () => {
    for (const [address, room] of [
      [() => '192.0.2.1', (LENGTH * 3) / 4],
      [inNetwork, Math.floor((LENGTH * 4) / 5)],
    ] as const) {
      const held = createHeld(4)
      const all = crowd(held, 'a', 3 + room + 5, address)
      await settled()
      assert.equal(held.line.waiting(), room)
      for (const one of all.slice(3 + room)) assert.deepEqual(await one, { kind: 'excess' })
    }
  })

  test('that is full of everybody has no room for anybody', async () => {
    const held = createHeld(4)
    void crowd(held, 'a', 4 + LENGTH, anywhere)
    await settled()
    assert.equal(held.line.waiting(), LENGTH)
    assert.deepEqual(await held.enter('late', from('192.0.2.1')), { kind: 'none', waited: false })
  })

  test('gives a place back once, however often it is given back', async () => {
    const held = createHeld(4)
    const admission = await held.enter('a', from('192.0.2.1'))
    assert.ok(admission.kind === 'place')
    for (let n = 0; n < 3; n++) admission.release()
    assert.equal(held.line.held(), 0)
  })

  test('is looked at without a change', async () => {
    const held = createHeld(4)
    assert.equal(held.line.look(from('192.0.2.1')), 'place')
    void crowd(held, 'x', 3 + (LENGTH * 3) / 4, () => '192.0.2.1')
    await settled()
    assert.equal(held.line.look(from('192.0.2.1')), 'excess')
    assert.equal(held.line.look(from('192.0.2.2')), 'waits')
    assert.equal(held.line.look(from('198.51.100.1')), 'place')
    assert.deepEqual([held.line.held(), held.line.waiting()], [3, (LENGTH * 3) / 4])
  })
})

test('whatever comes and goes, places are counted right, no free one is refused, and nothing is left', async () => {
  for (let run = 1; run <= 10; run++) {
    const random = createChance(run)
    const held = createHeld(4 + Math.floor(random() * 20))
    const inside: string[] = []
    const entering: Promise<unknown>[] = []
    for (let step = 0; step < 400; step++) {
      const name = `${step}`
      if (random() < 0.6) {
        const network = Math.floor(random() * 4)
        const applicant = from(
          `192.0.${network}.${Math.floor(random() * 3)}`,
          random() < 0.3 ? 'known' : 'unknown',
        )
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
