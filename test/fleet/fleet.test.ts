import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answerer } from '../../src/fleet/answer-asks.ts'
import { type Asked, createFleet, type Fleet } from '../../src/fleet/fleet.ts'
import { createPretendTime, type PretendTime } from '../support/pretend-time.ts'
import { createSharedPlace, type SharedPlace } from '../support/shared-place.ts'

interface Stage {
  readonly time: PretendTime
  readonly place: SharedPlace
  readonly errors: unknown[]
  /** Starts a gate; the result of `stop` says that it has ended. */
  add(name: string, answerers?: Readonly<Record<string, Answerer>>, id?: string): Started
}

interface Started {
  readonly fleet: Fleet
  readonly stop: () => Promise<void>
}

function createStage(): Stage {
  const time = createPretendTime()
  const place = createSharedPlace(time.clock)
  const errors: unknown[] = []
  return {
    ...{ time, place, errors },
    add(name, answerers = { greet: { answer: ({ word }) => `${word} from ${name}` } }, id = name) {
      const fleet = createFleet({
        ...{ shared: place.join(id), name, answerers },
        ...{ version: '1.0.0', sessions: () => 3, clock: time.clock, after: time.after },
        toStoreTime: (monotonic) => monotonic + 1_000_000,
        onInternalError: (error) => void errors.push(error),
      })
      return { fleet, stop: fleet.start() }
    },
  }
}

/** Asks, and lets time pass until the answer is there. */
async function greet({ time }: Stage, fleet: Fleet): Promise<Asked<string> & { readonly took: number }> {
  const began = time.clock()
  const asked = fleet.ask('greet', { word: 'hello' }, () => 'myself')
  let took: number | undefined
  void asked.then(() => {
    took = time.clock() - began
  })
  for (let passed = 0; took === undefined && passed < 2_000; passed++) await time.pass(1)
  assert.ok(took !== undefined, 'no answer')
  return { ...(await asked), took }
}

const answered = ({ gates }: Asked<unknown>): string =>
  gates.map((gate) => `${gate.name}${gate.answered ? '' : '?'}`).join(' ')
const said = ({ others }: Asked<unknown>): unknown[] => others.map(({ value }) => value).toSorted()

describe('three gates', () => {
  test('all answer what one of them asks, at once', async () => {
    const stage = createStage()
    const [north] = ['north', 'south', 'west'].map((name) => stage.add(name))
    await stage.time.pass(2_000)
    assert.ok(north !== undefined)
    const asked = await greet(stage, north.fleet)
    assert.equal(asked.own, 'myself')
    assert.deepEqual(said(asked), ['hello from south', 'hello from west'])
    assert.deepEqual([answered(asked), asked.complete], ['north south west', true])
    assert.ok(asked.took <= 50, `${asked.took} ms`)
    assert.deepEqual(
      north.fleet.others().map(({ name, version, sessions }) => [name, version, sessions]),
      [
        ['south', '1.0.0', 3],
        ['west', '1.0.0', 3],
      ],
    )
  })

  test('one that does not answer is waited for for 500 ms, and named', async () => {
    const stage = createStage()
    const north = stage.add('north')
    for (const name of ['south', 'west']) stage.add(name)
    await stage.time.pass(2_000)
    stage.place.hold(['west'])
    const asked = await greet(stage, north.fleet)
    assert.deepEqual(said(asked), ['hello from south'])
    assert.deepEqual([answered(asked), asked.complete], ['north south west?', false])
    assert.ok(asked.took >= 490 && asked.took <= 510, `${asked.took} ms`)
  })

  test('one that was killed is named for ten minutes, but waited for for 6 s only', async () => {
    const stage = createStage()
    const [north, south] = [stage.add('north'), stage.add('south')]
    await stage.time.pass(2_000)
    // Killed: nothing of it is told or heard any more.
    stage.place.fails('refused', ['south'])
    stage.place.hold(['south'])
    await stage.time.pass(7_000)
    const asked = await greet(stage, north.fleet)
    assert.deepEqual([answered(asked), asked.complete], ['north south?', true])
    assert.ok(asked.took <= 10)
    await stage.time.pass(600_000)
    assert.equal(answered(await greet(stage, north.fleet)), 'north')
    await south.stop()
  })

  test('one that has stopped in order is named no more', async () => {
    const stage = createStage()
    const [north, south] = [stage.add('north'), stage.add('south')]
    await stage.time.pass(2_000)
    await south.stop()
    await stage.time.pass(2_000)
    const asked = await greet(stage, north.fleet)
    assert.deepEqual([answered(asked), asked.complete], ['north', true])
  })

  test('one that was killed and started again is one gate, not two', async () => {
    const stage = createStage()
    const north = stage.add('north')
    stage.add('south', undefined, 'south-1')
    await stage.time.pass(2_000)
    stage.place.fails('refused', ['south-1'])
    stage.place.hold(['south-1'])
    stage.add('south', undefined, 'south-2')
    await stage.time.pass(8_000)
    assert.equal(answered(await greet(stage, north.fleet)), 'north south')
  })

  test('one of a release that does not know the question counts as silent', async () => {
    const stage = createStage()
    const north = stage.add('north')
    stage.add('old', {})
    await stage.time.pass(2_000)
    assert.deepEqual(answered(await greet(stage, north.fleet)), 'north old?')
    const asking = north.fleet.ask('__proto__', {}, () => 1)
    await stage.time.pass(600)
    assert.deepEqual(answered(await asking), 'north old?')
    assert.deepEqual(stage.errors, [])
  })

  test('one whose answer is a fault of its own tells its own log, and not a half answer', async () => {
    const stage = createStage()
    const north = stage.add('north')
    const answer = (): never => {
      throw new TypeError('broken')
    }
    stage.add('south', { greet: { answer } })
    await stage.time.pass(2_000)
    assert.equal(answered(await greet(stage, north.fleet)), 'north south?')
    assert.match(String(stage.errors), /broken/)
  })
})

describe('while the store is away', () => {
  test('a gate answers for itself at once, and names those that it had heard of', async () => {
    const stage = createStage()
    const north = stage.add('north')
    stage.add('south')
    await stage.time.pass(2_000)
    stage.place.fails('timeout')
    await stage.time.pass(2_000)
    assert.equal(north.fleet.isAway(), true)
    const asked = await greet(stage, north.fleet)
    assert.equal(asked.own, 'myself')
    assert.deepEqual([answered(asked), asked.complete], ['north south?', false])
    assert.ok(asked.took <= 5)
    stage.place.fails(undefined)
    await stage.time.pass(2_000)
    assert.equal(answered(await greet(stage, north.fleet)), 'north south')
  })

  test('a store that says nothing holds up nobody for more than 500 ms', async () => {
    const stage = createStage()
    const north = stage.add('north')
    stage.add('south')
    await stage.time.pass(2_000)
    stage.place.hang()
    const asked = await greet(stage, north.fleet)
    assert.deepEqual([asked.own, answered(asked)], ['myself', 'north south?'])
    assert.ok(asked.took <= 510, `${asked.took} ms`)
    await Promise.race([north.stop(), stage.time.pass(1_000)])
  })

  test('what was asked meanwhile is not answered later, but what changes something is done', async () => {
    const stage = createStage()
    const done: unknown[] = []
    const north = stage.add('north')
    stage.add('south', {
      greet: { answer: () => done.push('greet') },
      close: { changes: true, answer: () => done.push('close') },
    })
    await stage.time.pass(2_000)
    const letGo = stage.place.hold(['south'])
    for (const what of ['greet', 'close']) void north.fleet.ask(what, {}, () => 1)
    await stage.time.pass(60_000)
    const { answer } = stage.place.calls
    letGo()
    await stage.time.pass(1_000)
    assert.deepEqual(done, ['close'])
    assert.equal(stage.place.calls.answer, answer)
  })
})

test('a gate alone does not wait', async () => {
  const stage = createStage()
  const { fleet } = stage.add('north')
  await stage.time.pass(2_000)
  const asked = await greet(stage, fleet)
  assert.deepEqual([answered(asked), asked.complete, stage.place.calls.answers], ['north', true, 0])
  assert.ok(asked.took <= 1)
})

test('an answer that cannot be opened is passed over, and the others count', async () => {
  const stage = createStage()
  const north = stage.add('north')
  const thief = stage.place.join('thief')
  stage.add('south')
  thief.messages.onMessage(({ ask }) => void thief.replies.answer(String(ask), ''))
  await stage.time.pass(2_000)
  assert.deepEqual(said(await greet(stage, north.fleet)), ['hello from south'])
})
