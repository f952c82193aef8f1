import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createNewsOfGates } from '../../src/admin/news-of-gates.ts'
import type { Asked } from '../../src/fleet/fleet.ts'
import type { HeardGate } from '../../src/fleet/roster.ts'

interface Stage {
  /** What each gate answers next, by its id. */
  readonly answers: Map<string, object>
  readonly heard: Map<string, HeardGate>
  away: boolean
  now: number
  /** What the live pages were told. */
  readonly told: string[]
  /** The parameters of the questions. */
  readonly asked: unknown[]
  /** Asks, and waits for the answers; returns what was told. */
  look(): Promise<string>
  readonly news: ReturnType<typeof createNewsOfGates>
}

function createStage(): Stage {
  const answers = new Map<string, object>()
  const heard = new Map<string, HeardGate>()
  const told: string[] = []
  const asked: unknown[] = []
  const fleet = {
    name: 'north',
    others: () => [...heard.values()],
    isAway: () => stage.away,
    async ask<Value>(
      _what: string,
      parameters: object,
      own: () => Value | Promise<Value>,
    ): Promise<Asked<Value>> {
      asked.push(parameters)
      const others = [...answers].map(([gate, value]) => ({ gate, name: gate, value }))
      return { own: await own(), others, gates: [], complete: true }
    },
  }
  const news = createNewsOfGates({
    ...{ fleet, version: '1', sessions: () => 1 },
    live: () => ({
      elsewhere(opened, ended) {
        told.push(...opened.map((one) => `+${one.session}`), ...ended.map((one) => `-${one.session}`))
      },
      reload: () => void told.push('reload'),
      readers: () => 2,
    }),
    clock: () => stage.now,
    onInternalError: (error) => assert.fail(String(error)),
  })
  const stage: Stage = {
    ...{ answers, heard, away: false, now: 0, told, asked, news },
    async look() {
      news.look()
      await setImmediate()
      return told.splice(0).join(' ')
    },
  }
  return stage
}

const hear = ({ heard }: Stage, gate: string, age = 0): void =>
  void heard.set(gate, { gate, name: gate, version: '1', sessions: 5, age })
const view = (session: string): object => ({ session, lastRequest: '2026' })
const nothing = { opened: [], ended: [], lost: false }

describe('the news of other gates', () => {
  test('begin without a reload, and tell what changes', async () => {
    const stage = createStage()
    hear(stage, 'south')
    stage.answers.set('south', { ...nothing, mark: '1.0', lost: true })
    assert.equal(await stage.look(), '')
    const ended = [{ session: 'b', why: 'idle', gate: 'south' }]
    stage.answers.set('south', { mark: '1.2', lost: false, opened: [view('a')], ended })
    assert.equal(await stage.look(), '+a -b')
    stage.answers.set('south', { ...nothing, mark: '1.2' })
    assert.equal(await stage.look(), '')
    assert.deepEqual(stage.asked.at(-1), { marks: { south: '1.2' } })
  })

  test('a gate that comes, goes, or has lost some of them makes the pages fetch all again, once', async () => {
    const stage = createStage()
    hear(stage, 'south')
    stage.answers.set('south', { ...nothing, mark: '1.0', lost: true })
    await stage.look()
    hear(stage, 'west')
    stage.answers.set('west', { ...nothing, mark: '1.0', lost: true })
    stage.answers.set('south', { ...nothing, mark: '1.0' })
    assert.equal(await stage.look(), 'reload')
    stage.answers.set('west', { ...nothing, mark: '1.0' })
    assert.equal(await stage.look(), '')
    hear(stage, 'west', 7_000)
    stage.answers.delete('west')
    assert.equal(await stage.look(), 'reload')
    assert.equal(await stage.look(), '')
    stage.answers.set('south', { ...nothing, mark: '2.0', lost: true })
    assert.equal(await stage.look(), 'reload')
  })

  test('while the store is away the pages keep what they know, and say that nobody answers', async () => {
    const stage = createStage()
    hear(stage, 'south')
    stage.answers.set('south', { ...nothing, mark: '1.0', lost: true })
    await stage.look()
    assert.deepEqual(
      stage.news.shown().all.map(({ name, answered }) => `${name} ${answered}`),
      ['north true', 'south true'],
    )
    stage.away = true
    stage.answers.clear()
    hear(stage, 'south', 60_000)
    assert.equal(await stage.look(), '')
    const { name, away, all, pages } = stage.news.shown()
    assert.deepEqual([name, away, pages], ['north', true, 2])
    assert.deepEqual(all[1], { name: 'south', answered: false, version: '1', sessions: 5, seen: 60 })
    stage.away = false
    hear(stage, 'south')
    stage.answers.set('south', { ...nothing, mark: '1.4', opened: [view('a')] })
    assert.equal(await stage.look(), '+a')
  })

  test('a gate counts as one that answers until it was asked, when it was just heard of', async () => {
    const stage = createStage()
    hear(stage, 'south')
    const answers = (): boolean | undefined => stage.news.shown().all[1]?.answered
    assert.equal(answers(), true)
    await stage.look()
    assert.equal(answers(), false)
    // No page was open meanwhile.
    stage.now = 60_000
    assert.equal(answers(), true)
    hear(stage, 'south', 7_000)
    assert.equal(answers(), false)
  })

  test('what another release says in another way is passed over', async () => {
    const stage = createStage()
    hear(stage, 'south')
    stage.answers.set('south', {
      mark: 7,
      opened: 'x',
      ended: [{ session: 1 }, null],
      lost: 'yes',
      colour: 'red',
    })
    assert.equal(await stage.look(), '')
  })

  test('are asked for one at a time', async () => {
    const stage = createStage()
    for (let n = 0; n < 10; n++) stage.news.look()
    assert.equal(stage.asked.length, 1)
    await setImmediate()
    await stage.look()
    assert.equal(stage.asked.length, 2)
  })
})
