import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createStoreLink, type StoreLink, type StoreState } from '../../src/state/store-link.ts'
import { createMemoryPlace, type MemoryPlace } from '../support/memory-store.ts'
import { createPretendTime, type PretendTime } from '../support/pretend-time.ts'

interface Linked {
  readonly time: PretendTime
  readonly place: MemoryPlace
  readonly link: StoreLink
  /** Each change of the state, as it was told. */
  readonly changes: string[]
  readonly opened: number[]
  readonly setAside: string[]
}

function create(): Linked {
  const time = createPretendTime()
  const place = createMemoryPlace(time.clock)
  const changes: string[] = []
  const opened: number[] = []
  const setAside: string[] = []
  const link = createStoreLink({
    ...{ store: place.create(), clock: time.clock, after: time.after },
    prepare: async (store) => void (await store.marks()),
    onOpened: () => void opened.push(time.clock()),
    onChange: ({ usable, trouble }: StoreState, lasted) =>
      void changes.push(`${usable ? 'usable' : trouble} after ${lasted}`),
    onSetAside: (sentence) => void setAside.push(sentence),
    onCommand() {},
  })
  return { time, place, link, changes, opened, setAside }
}

const opens = ({ calls }: MemoryPlace): number => calls.filter((call) => call === 'open').length
const recall = (link: StoreLink): Promise<unknown> => link.use('recall', (store) => store.recall('v'))

describe('a store', () => {
  test('that opens in time is usable, and nothing is told', async () => {
    const { link, changes, opened } = create()
    await link.start(2_000)
    assert.equal(link.state().usable, true)
    assert.deepEqual([changes, opened], [[], [0]])
    assert.deepEqual(await recall(link), [])
  })

  test('is not used before what must be known is read', async () => {
    const { place, link, time } = create()
    place.fails('failed', ['marks'])
    await link.start(2_000)
    assert.equal(link.state().usable, false)
    assert.equal(await recall(link), undefined)
    assert.deepEqual(place.calls, ['open', 'marks'])
    place.fails(undefined)
    await time.pass(1_000)
    assert.equal(link.state().usable, true)
  })

  test('that is late at start is waited for no longer than told, and counts when it comes', async () => {
    const { place, link, time, opened } = create()
    const release = place.hold()
    let isStarted = false
    const start = link.start(2_000).then(() => {
      isStarted = true
    })
    await time.pass(1_999)
    assert.equal(isStarted, false)
    await time.pass(1)
    await start
    assert.equal(link.state().usable, false)
    assert.equal(await recall(link), undefined)
    await release()
    await time.pass(0)
    assert.equal(link.state().usable, true)
    assert.deepEqual(opened, [2_000])
  })

  test('that cannot be opened says so once, is opened again after 1, 2, 4, 8, 10 and 10 s, and says so once', async () => {
    const { place, link, time, changes } = create()
    place.fails('in-use')
    await link.start(2_000)
    assert.equal(link.state().trouble, 'in-use')
    for (const [seconds, count] of [
      [1, 2],
      [2, 3],
      [4, 4],
      [8, 5],
      [10, 6],
      [10, 7],
    ] as const) {
      await time.pass(seconds * 1_000 - 1)
      assert.equal(opens(place), count - 1)
      await time.pass(1)
      assert.equal(opens(place), count)
    }
    place.fails(undefined)
    await time.pass(10_000)
    assert.deepEqual(changes, ['in-use after 0', 'usable after 45000'])
  })

  test('that fails in many commands at once is opened again a second later, once', async () => {
    const { place, link, time, changes } = create()
    await link.start(2_000)
    await time.pass(60_000)
    place.fails('failed')
    await Promise.all([1, 2, 3, 4, 5].map(() => recall(link)))
    await time.pass(999)
    assert.equal(opens(place), 1)
    place.fails(undefined)
    await time.pass(1)
    assert.equal(opens(place), 2)
    await time.pass(60_000)
    assert.equal(opens(place), 2)
    assert.deepEqual(changes, ['failed after 60000', 'usable after 1000'])
  })

  test('that opens but never writes is opened less and less often', async () => {
    const { place, link, time, opened } = create()
    place.fails('full', ['write'])
    await link.start(2_000)
    for (let second = 0; second < 120; second++) {
      await link.use('write', (store) => store.write([]))
      await time.pass(1_000)
    }
    assert.ok(opened.length < 20, `${opened.length}`)
  })

  test('that did not answer in time is not opened again, only asked whether it answers', async () => {
    const { place, link, time } = create()
    await link.start(2_000)
    place.fails('timeout')
    assert.equal(await recall(link), undefined)
    assert.equal(link.state().trouble, 'timeout')
    place.fails(undefined)
    await time.pass(1_000)
    assert.equal(link.state().usable, true)
    assert.deepEqual(place.calls, ['open', 'marks', 'recall v', 'marks'])
  })

  test('that was damaged and set aside is used, and that is told', async () => {
    const { place, link, setAside, changes } = create()
    place.damage()
    await link.start(2_000)
    assert.equal(link.state().usable, true)
    assert.deepEqual([setAside.length, changes], [1, []])
  })

  test('that is stopped is not used or opened any more, and nothing is told', async () => {
    const { place, link, time, changes } = create()
    await link.start(2_000)
    const release = place.hold()
    const late = recall(link)
    await link.stop(500)
    place.fails('failed')
    await release()
    assert.equal(await late, undefined)
    assert.equal(await recall(link), undefined)
    await time.pass(60_000)
    assert.deepEqual([opens(place), changes], [1, []])
  })
})
