// npm run simulate:backend [-- factors | breaker | outages]: the room src/backend before a pretend backend, in
// pretend time: which factors of the shares hold, how many networks open the breaker, and how an outage ends.

import type { Factors } from '../src/backend/line.ts'
import { createChance } from '../test/support/create-chance.ts'
import {
  type Came,
  createPretendBackend,
  elsewhere,
  type PretendBackend,
  type PretendBackendOptions,
  tally,
} from '../test/support/pretend-backend.ts'
import { table } from './table.ts'

const served = (came: readonly Came[]): number => tally(came)['allow'] ?? 0
const letIn = (what: string): boolean =>
  !['allow', 'deny', 'too-many-questions', 'question-refused'].includes(what)

/** Questions that a client asks again and again. @returns ends them, with all that came */
function hammer(
  pretend: PretendBackend,
  count: number,
  one: (n: number) => readonly [string, string],
  pause = 50,
): () => Promise<Came[]> {
  let isOver = false
  const came: Came[] = []
  const all = Array.from({ length: count }, async (_, n) => {
    while (!isOver) {
      came.push(await pretend.ask(...one(n)))
      await new Promise<void>((go) => void pretend.time.after(pause, go))
    }
  })
  return async () => {
    isOver = true
    const ended = Promise.all(all)
    await pretend.time.pass(5_000)
    await ended
    return came
  }
}

const good = (n: number): readonly [string, string] => ['good', elsewhere(n)]

/** Newcomers served, of 80 whose answers take so long, beside networks with 30 slow questions of seven addresses. */
async function besideHostile(networks: number, took: number, factors: Factors): Promise<number> {
  const pretend = createPretendBackend({ factors })
  pretend.acts((token) => (token === 'slow' ? 'silent' : { status: token === 'good' ? 200 : 403, took }))
  await pretend.come(20, 10, good)
  const end = hammer(pretend, 30 * networks, (n) => ['slow', `203.0.${n % networks}.${1 + (n % 7)}`])
  await pretend.time.pass(300)
  const fresh = await pretend.come(80, 50, (n) => good(2_000 + n))
  await end()
  return served(fresh)
}

interface Flood {
  /** Bad tokens that DEFAULT_ACTION=allow lets in. */
  readonly letIn: number
  /** Others served, of ten in the first three seconds and of ten in the next three. */
  readonly others: readonly [number, number]
}

/** 60 bad tokens at a time, of so many networks, before five workers of 250 ms. */
async function flood(networks: number, factors: Factors): Promise<Flood> {
  const pretend = createPretendBackend({ workers: 5, timeout: 2_000, factors })
  pretend.acts((token) => ({ status: token === 'good' ? 200 : 403, took: token === '' ? 1 : 250 }))
  const end = hammer(pretend, 60, (n) => ['bad', `203.0.${n % networks}.1`], 5)
  const others = await pretend.come(20, 300, (n) => good(n))
  const attacks = await end()
  return {
    letIn: attacks.filter(({ what }) => letIn(what)).length,
    others: [served(others.slice(0, 10)), served(others.slice(10))],
  }
}

/** Boxes served at their first try, of 300 at once. */
async function boxes(took: number, address: (n: number) => string, factors: Factors): Promise<number> {
  const pretend = createPretendBackend({ timeout: 2_000, factors })
  pretend.acts(() => ({ status: 200, took }))
  return served(await pretend.come(300, 0, (n) => ['good', address(n)]))
}

async function placesOf(address: (n: number) => string, factors: Factors): Promise<number> {
  const pretend = createPretendBackend({ factors })
  pretend.acts(() => 'silent')
  for (let n = 0; n < 100; n++) void pretend.ask('slow', address(n))
  await pretend.time.pass(1)
  return pretend.backend.state().inFlight
}

async function showFactors(): Promise<void> {
  const rows: string[][] = []
  for (const network of [1, 2, 3, 4, 6, 8]) {
    for (const part of [1 / 2, 3 / 4, 1]) {
      const factors = { network, client: network * part }
      const one = await boxes(600, () => '192.0.2.1', factors)
      const many = await boxes(600, elsewhere, factors)
      const beside = async (took: number): Promise<string> =>
        (await Promise.all([1, 2, 4, 8].map((networks) => besideHostile(networks, took, factors)))).join(' ')
      const floods = await Promise.all([1, 2].map((networks) => flood(networks, factors)))
      rows.push([
        `${network}, ${factors.client}`,
        `${await placesOf(() => '192.0.2.1', factors)}, ${await placesOf((n) => `192.0.2.${n}`, factors)}`,
        await beside(30),
        await beside(300),
        floods.map(({ letIn: count }) => count).join(' '),
        floods.map(({ others }) => others.join('+')).join(' '),
        `${one} of ${many}`,
      ])
    }
  }
  const head = [
    'network, client',
    'places of 64: an address, a /24',
    '80 newcomers of 30 ms',
    'of 300 ms',
    'let in',
    'others',
    '300 boxes',
  ]
  console.log(table(head, rows))
}

/** Whether networks with 40 slow questions each open the breaker within half a minute. @param gap milliseconds */
async function opens(networks: number, gap: () => number, usual: number): Promise<boolean> {
  const pretend = createPretendBackend({ timeout: 2_000 })
  pretend.acts((token) => (token === 'slow' ? 'silent' : { status: token === 'good' ? 200 : 403, took: 30 }))
  await pretend.come(10_000 / usual, usual, good)
  const hostile = (n: number) => ['slow', `203.0.${n % networks}.${1 + (n % 7)}`] as const
  const end = hammer(pretend, 40 * networks, hostile, 1_000)
  let isOpen = false
  for (let n = 0; pretend.time.clock() < 40_000 && !isOpen; n++) {
    void pretend.ask(...good(1_000 + n))
    await pretend.time.pass(gap())
    isOpen = pretend.backend.state().breaker !== 'closed'
  }
  await end()
  return isOpen
}

/** The fewest networks that open it: beside honest openings evenly, and by chance in one of two half minutes. */
async function showBreaker(): Promise<void> {
  const fewest = async (gap: number, ways: readonly (() => number)[]): Promise<string> => {
    for (const networks of [4, 6, 8, 12, 16, 24])
      for (const way of ways) if (await opens(networks, way, gap)) return `${networks}`
    return 'more than 24'
  }
  const rows: string[][] = []
  for (const honest of [1, 2]) {
    const gap = 1_000 / honest
    const byChance = [1, 2].map((seed) => {
      const random = createChance(seed)
      return () => -Math.log(1 - random()) * gap
    })
    rows.push([`${honest}`, await fewest(gap, [() => gap]), await fewest(gap, byChance)])
  }
  console.log(table(['honest openings a second', 'networks that open the breaker', 'by chance'], rows))
}

const describeTally = (came: readonly Came[]): string =>
  Object.entries(tally(came))
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')

async function firstAllow(pretend: PretendBackend, every: number): Promise<number> {
  const began = pretend.time.clock()
  for (let n = 0; pretend.time.clock() - began < 20_000; n++) {
    const [came] = await pretend.come(1, 0, () => good(5_000 + n))
    if (came?.what === 'allow') return pretend.time.clock() - began
    await pretend.time.pass(every)
  }
  return Number.NaN
}

const healthy = (token: string) =>
  token === 'evil'
    ? ('reset' as const)
    : { status: token === 'good' ? 200 : 403, took: token === '' ? 1 : 30 }

async function showOutages(): Promise<void> {
  const create = (more: PretendBackendOptions = {}) => createPretendBackend(more)
  const database = create()
  database.acts(healthy)
  await database.come(40, 10, good)
  database.acts((token) => (token === '' ? { status: 403, took: 1 } : 'silent'))
  const during = await database.come(300, 20, (n) => good(1_000 + n))
  database.acts(healthy)
  console.log(
    `a script whose database hangs for 6 s, 50 newcomers a second: ${describeTally(during)}; asked ${database.asked()}; first allow ${await firstAllow(database, 20)} ms after it`,
  )

  const hog = create()
  hog.acts(() => 'silent')
  await hog.come(30, 0, good)
  const end = hammer(hog, 6, (n) => ['evil', n % 2 === 0 ? '192.0.2.9' : '2001:db8::9'], 5)
  await hog.time.pass(3_000)
  hog.acts(healthy)
  console.log(
    `the end of an outage beside a client whose questions break: first allow after ${await firstAllow(hog, 250)} ms`,
  )
  await end()

  const five = create({ workers: 5 })
  five.acts((token) => ({ status: token === 'good' ? 200 : 403, took: 200 }))
  const over = await five.come(360, 16, good)
  const began = five.time.clock()
  const after = await five.come(60, 100, (n) => good(5_000 + n))
  const first = after.findIndex((_, n) => after.slice(n, n + 10).every(({ what }) => what === 'allow'))
  console.log(
    `five workers of 200 ms, 60 newcomers a second for 6 s: ${describeTally(over)}; then 10 a second: ten in a row served after ${(after[first]?.at ?? Number.NaN) - began} ms`,
  )
}

const shows: Readonly<Record<string, () => Promise<void>>> = {
  factors: showFactors,
  breaker: showBreaker,
  outages: showOutages,
}
const [chosen] = process.argv.slice(2)
for (const [name, show] of Object.entries(shows)) if (chosen === undefined || chosen === name) await show()
