import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Ask, createAsk } from '../../src/backend/ask-backends.ts'
import type { GuardedAsk } from '../../src/backend/backend.ts'
import type { Outcome } from '../../src/verdict.ts'
import { clientRequest } from '../support/pretend-gate.ts'
import { questionAbout } from '../support/question-about.ts'

type Kind = Outcome['kind']
type Combination = readonly Kind[]

const kinds: readonly Kind[] = ['allow', 'refused', 'unavailable', 'deny']
const combinations: readonly Combination[] = [
  ...kinds.flatMap((first) => kinds.map((second) => [first, second])),
  ...kinds.flatMap((first) => kinds.flatMap((second) => kinds.map((third) => [first, second, third]))),
]

const question = questionAbout(clientRequest('/channel/index.m3u8?token=1'), { sessionId: 'session' })

/** A backend that answers when the test says so. */
interface Pretend {
  readonly ask: GuardedAsk
  /** Budgets of the questions it was asked. */
  readonly budgets: number[]
  readonly sessionIds: string[]
  giveUp: AbortSignal | undefined
  answer(kind: Kind): void
}

function pretend(name: string, whenAsked: (backend: Pretend) => void = () => {}): Pretend {
  let settle: (outcome: Outcome) => void = () => {}
  const backend: Pretend = {
    budgets: [],
    sessionIds: [],
    giveUp: undefined,
    ask(asked, budget, giveUp) {
      assert.equal(asked, question)
      backend.budgets.push(budget)
      backend.sessionIds.push(asked.sessionId)
      backend.giveUp = giveUp
      const outcome = new Promise<Outcome>((resolve) => {
        settle = resolve
      })
      whenAsked(backend)
      return outcome
    },
    answer(kind) {
      settle(outcomeOf(kind, name))
    },
  }
  return backend
}

function outcomeOf(kind: Kind, backend: string): Outcome {
  switch (kind) {
    case 'allow':
      return { kind, backend, grant: { userId: backend } }
    case 'deny':
      return { kind, backend, status: 403 }
    case 'unavailable':
      return { kind, backend, reason: 'refused' }
    case 'refused':
      return { kind, backend, reason: 'question-refused' }
  }
}

function combine(mode: 'failover' | 'any', backends: readonly Pretend[], clock = () => 0): Ask {
  const [first, ...others] = backends.map(({ ask }) => ask)
  if (first === undefined) throw new Error('no backend')
  return createAsk({ mode, backends: [first, ...others], timeout: 1200, clock })
}

/** Lets everything run that is ready to run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Whether a promise has come to its end already. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  void promise.then(() => {
    done = true
  })
  await settled()
  return done
}

function orders(count: number): number[][] {
  if (count === 0) return [[]]
  return orders(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => [...rest.slice(0, at), count - 1, ...rest.slice(at)]),
  )
}

describe('failover', () => {
  for (const combination of combinations) {
    const answering = combination.findIndex((kind) => kind === 'allow' || kind === 'deny')
    const last = answering === -1 ? combination.length - 1 : answering
    // Who is refused by one must not get the default action of another.
    const refusing = answering === -1 ? combination.indexOf('refused') : -1
    const decider = refusing === -1 ? last : refusing
    test(`${combination.join(', ')}: backend ${decider + 1} decides, ${last + 1} are asked`, async () => {
      const backends = combination.map((kind, index) =>
        pretend(`backend ${index + 1}`, (backend) => backend.answer(kind)),
      )
      const outcome = await combine('failover', backends)(question)
      assert.deepEqual(outcome, outcomeOf(combination[decider] ?? 'deny', `backend ${decider + 1}`))
      assert.deepEqual(
        backends.map(({ sessionIds }) => sessionIds),
        backends.map((_, index) => (index <= last ? ['session'] : [])),
      )
    })
  }

  const shares: [string, number[], number[]][] = [
    ['silent ones use up their even shares', [400, 400, 400], [400, 400, 400]],
    ['what a quick one leaves goes to the others evenly', [0, 600, 600], [400, 600, 600]],
    ['what two quick ones leave goes to the last', [10, 90, 0], [400, 595, 1100]],
  ]
  for (const [promise, taken, budgets] of shares) {
    test(`of one deadline, ${promise}`, async () => {
      let now = 5000
      const backends = taken.map((time, index) =>
        pretend(`backend ${index + 1}`, (backend) => {
          now += time
          backend.answer('unavailable')
        }),
      )
      await combine('failover', backends, () => now)(question)
      assert.deepEqual(
        backends.map((backend) => backend.budgets),
        budgets.map((budget) => [budget]),
      )
    })
  }
})

describe('any', () => {
  for (const combination of combinations) {
    const expected = kinds.find((kind) => kind !== 'deny' && combination.includes(kind)) ?? 'deny'
    test(`${combination.join(', ')}: ${expected}, in whatever order they answer`, async () => {
      for (const order of orders(combination.length)) {
        const backends = combination.map((_, index) => pretend(`backend ${index + 1}`))
        const outcome = combine('any', backends)(question)
        assert.deepEqual(
          backends.map(({ budgets, sessionIds }) => [...budgets, ...sessionIds]),
          backends.map(() => [1200, 'session']),
          'all are asked at once, each with the whole deadline',
        )
        const deciding = order.find((index) => combination[index] === expected)
        for (const index of order) backends[index]?.answer(combination[index] ?? 'deny')
        const { kind, backend } = await outcome
        assert.equal(kind, expected)
        // A deny needs all backends, so any of them may be named.
        if (expected !== 'deny') assert.equal(backend, `backend ${(deciding ?? 0) + 1}`)
      }
    })

    if (expected !== 'allow') continue
    test(`${combination.join(', ')}: the first allow waits for nobody and ends the other questions`, async () => {
      const winner = combination.indexOf('allow')
      const backends = combination.map((_, index) => pretend(`backend ${index + 1}`))
      const outcome = combine('any', backends)(question)
      assert.ok(backends.every(({ giveUp }) => giveUp?.aborted === false))
      backends[winner]?.answer('allow')
      assert.deepEqual(await outcome, outcomeOf('allow', `backend ${winner + 1}`))
      assert.ok(backends.every(({ giveUp }) => giveUp?.aborted === true))
    })
  }

  for (const combination of combinations.filter((one) => !one.includes('allow'))) {
    test(`${combination.join(', ')}: nothing is decided before the last has answered`, async () => {
      for (const order of orders(combination.length)) {
        const backends = combination.map((_, index) => pretend(`backend ${index + 1}`))
        const outcome = combine('any', backends)(question)
        for (const index of order) {
          assert.equal(await isDone(outcome), false)
          backends[index]?.answer(combination[index] ?? 'deny')
        }
        assert.equal(await isDone(outcome), true)
      }
    })
  }
})
