import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  type Beat,
  type ListedSession,
  MOST_OF_COOKIE,
  MOST_OF_VIEWER,
  type SessionChange,
  type StoreEngine,
} from '../../src/state/store-engine.ts'
import type { Scope } from '../support/scope.ts'

/** How a kind of store is made for a test. What it needs ends with the scope. */
export interface EngineKind {
  /** How many of its tests may run at once. */
  readonly concurrency?: number
  /** An empty place, with the engine of one gate after another, each open. */
  place(scope: Scope): Promise<EnginePlace>
}

export interface EnginePlace {
  /** In a folder the one before has to be closed. */
  open(): Promise<StoreEngine>
  /** Lets so many milliseconds pass. */
  pass(milliseconds: number): Promise<void>
}

const HOUR = 3_600_000
const name = (): string => randomBytes(16).toString('base64url')
const beatOf = (given: Partial<Beat> = {}): Beat => ({
  ...{ entry: Buffer.from('about'), number: 0, have: 0, most: 100_000 },
  ...given,
})

export function changeOf(viewer: string, id: string, given: Partial<SessionChange> = {}): SessionChange {
  const value = Buffer.from(`value of ${id}`)
  return { viewer, id, state: 'playing', value, credential: 'credentl', keepFor: HOUR, ...given }
}

/** Each id of a list with its state, sorted. */
const statesOf = (listed: readonly ListedSession[]): string[] =>
  listed.map(({ id, state }) => `${id} ${state}`).sort()

const textsOf = (values: readonly (Buffer | undefined)[]): (string | undefined)[] =>
  values.map((value) => value?.toString())

/** What holds for each kind of store. */
export function describeEngine(title: string, kind: EngineKind): void {
  const opened = async (scope: Scope): Promise<{ place: EnginePlace; engine: StoreEngine }> => {
    const place = await kind.place(scope)
    return { place, engine: await place.open() }
  }

  describe(title, { concurrency: kind.concurrency ?? 1 }, () => {
    test('nothing is known of who was never written', async (t) => {
      const { engine } = await opened(t)
      const [viewer, id] = [name(), name()]
      assert.deepEqual(await engine.list(viewer), [])
      assert.deepEqual(await engine.read(viewer, [id]), [undefined])
      assert.deepEqual(await engine.viewersOf(name()), [])
      assert.equal(await engine.readUser(name()), undefined)
      assert.deepEqual(await engine.marksOf([name()]), [undefined])
      assert.equal(await engine.wide(), undefined)
      assert.deepEqual(await engine.former(`1${name()}`), [])
      assert.deepEqual([await engine.write([]), await engine.end([])], [[], []])
      await engine.drop([{ viewer, id }])
    })

    test('sessions are read as they were written, by this engine and by the next', async (t) => {
      const { place, engine } = await opened(t)
      const viewer = name()
      const [a, b] = [name(), name()]
      const bytes = Buffer.from([0, 13, 10, 255, 0])
      await engine.write([changeOf(viewer, a, { value: bytes }), changeOf(viewer, b, { state: 'left' })])
      await engine.close()
      const next = await place.open()
      assert.deepEqual(statesOf(await next.list(viewer)), [`${a} playing`, `${b} left`].sort())
      assert.deepEqual(await next.read(viewer, [a, b]), [bytes, Buffer.from(`value of ${b}`)])
    })

    test('a change takes the place of the one before, and gets another number', async (t) => {
      const { engine } = await opened(t)
      const viewer = name()
      const [a, b] = [name(), name()]
      await engine.write([changeOf(viewer, a), changeOf(viewer, b)])
      const before = await engine.list(viewer)
      await engine.write([changeOf(viewer, a, { state: 'silent', value: Buffer.from('new') })])
      const after = await engine.list(viewer)
      const numberOf = (listed: readonly ListedSession[], id: string): number | undefined =>
        listed.find((one) => one.id === id)?.change
      assert.notEqual(numberOf(after, a), numberOf(before, a))
      assert.equal(numberOf(after, b), numberOf(before, b))
      assert.deepEqual(textsOf(await engine.read(viewer, [b, a])), [`value of ${b}`, 'new'])
    })

    test('what is kept is gone when its time is over', async (t) => {
      const { place, engine } = await opened(t)
      const viewer = name()
      const [short, long] = [name(), name()]
      await engine.write([changeOf(viewer, short, { keepFor: 1_000 }), changeOf(viewer, long)])
      await engine.replaceUser(viewer, undefined, Buffer.from('text'), 1_000)
      await engine.markUser(viewer, 1, Buffer.from('mark'), 1_000)
      await engine.addCookie(viewer, viewer, 1_000)
      await engine.replaceWide(0, Buffer.from('wide'), 1_000)
      await place.pass(1_100)
      assert.deepEqual(textsOf(await engine.read(viewer, [short, long])), [undefined, `value of ${long}`])
      assert.equal(await engine.readUser(viewer), undefined)
      assert.deepEqual(await engine.marksOf([viewer]), [undefined])
      assert.deepEqual(await engine.viewersOf(viewer), [])
      assert.equal(await engine.wide(), undefined)
    })

    test('an end stays: the session is not listed, not written again, and not dropped', async (t) => {
      const { place, engine } = await opened(t)
      const viewer = name()
      const [a, unknown] = [name(), name()]
      await engine.write([changeOf(viewer, a)])
      const end = { viewer, value: Buffer.from('closed'), keepFor: HOUR }
      const [first, second] = await engine.end([
        { ...end, id: a },
        { ...end, id: unknown },
      ])
      assert.deepEqual([first?.kind, second?.kind], ['written', 'written'])
      assert.equal(first?.kind === 'written' && first.gate, engine.gate)
      assert.equal(second?.kind === 'written' && second.gate, undefined)
      await engine.drop([{ viewer, id: a }])
      assert.deepEqual(await engine.list(viewer), [])
      await engine.close()
      const next = await place.open()
      const outcomes = await next.write([changeOf(viewer, a), changeOf(viewer, unknown)])
      assert.deepEqual(outcomes, [
        { kind: 'ended', end: Buffer.from('closed') },
        { kind: 'ended', end: Buffer.from('closed') },
      ])
      const [again] = await next.end([{ ...end, id: a, value: Buffer.from('denied') }])
      assert.equal(again?.kind === 'written' && again.before?.toString(), 'closed')
      assert.deepEqual(await next.list(viewer), [])
    })

    test('what is dropped leaves nothing, and may be written again', async (t) => {
      const { engine } = await opened(t)
      const viewer = name()
      const [a, b] = [name(), name()]
      await engine.write([changeOf(viewer, a), changeOf(viewer, b)])
      await engine.drop([{ viewer, id: a }])
      assert.deepEqual(statesOf(await engine.list(viewer)), [`${b} playing`])
      assert.deepEqual(await engine.read(viewer, [a]), [undefined])
      assert.deepEqual(await engine.write([changeOf(viewer, a)]), [{ kind: 'written' }])
    })

    test('one batch may be about many viewers, and about one session twice', async (t) => {
      const { engine } = await opened(t)
      const viewers = Array.from({ length: 20 }, name)
      const id = name()
      const changes = viewers.flatMap((viewer) => [
        changeOf(viewer, id, { value: Buffer.from('first') }),
        changeOf(viewer, id, { value: Buffer.from(viewer), state: 'silent' }),
      ])
      const outcomes = await engine.write(changes)
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        changes.map(() => 'written'),
      )
      for (const viewer of viewers) {
        assert.deepEqual(statesOf(await engine.list(viewer)), [`${id} silent`])
        assert.deepEqual(textsOf(await engine.read(viewer, [id])), [viewer])
      }
    })

    test('a viewer keeps 512: left before silent before playing, the credential with most first', async (t) => {
      const { engine } = await opened(t)
      const viewer = name()
      const many = (count: number, given: Partial<SessionChange>): SessionChange[] =>
        Array.from({ length: count }, () => changeOf(viewer, name(), { value: Buffer.from('x'), ...given }))
      const guest = many(2, { credential: 'guest000' })
      const greedy = many(MOST_OF_VIEWER.sessions - 4, { credential: 'greedy00' })
      const [left] = many(1, { state: 'left', credential: 'guest000' })
      const [silent] = many(1, { state: 'silent', credential: 'guest000' })
      assert.ok(left !== undefined && silent !== undefined)
      for (const change of [...guest, left, silent]) await engine.write([change])
      for (let at = 0; at < greedy.length; at += 64) await engine.write(greedy.slice(at, at + 64))
      const listed = async (): Promise<Set<string>> =>
        new Set((await engine.list(viewer)).map(({ id }) => id))
      assert.equal((await listed()).size, MOST_OF_VIEWER.sessions)

      await engine.write(many(1, { credential: 'greedy00' }))
      assert.ok(!(await listed()).has(left.id), 'the left one goes first')
      await engine.write(many(1, { credential: 'greedy00' }))
      assert.ok(!(await listed()).has(silent.id), 'then the silent one')
      await engine.write(many(3, { credential: 'greedy00' }))
      const kept = await listed()
      assert.equal(kept.size, MOST_OF_VIEWER.sessions)
      assert.ok(
        guest.every(({ id }) => kept.has(id)),
        'the guests stay',
      )
    })

    test('a viewer keeps a megabyte', async (t) => {
      const { engine } = await opened(t)
      const viewer = name()
      const value = Buffer.alloc(8_000, 1)
      for (let at = 0; at < 10; at += 1)
        await engine.write(Array.from({ length: 20 }, () => changeOf(viewer, name(), { value })))
      const count = (await engine.list(viewer)).length
      assert.ok(count * value.length <= MOST_OF_VIEWER.bytes, `${count} records`)
      assert.ok(count > 100, `${count} records`)
    })

    test('a cookie leads to its viewers, the newest last', async (t) => {
      const { engine } = await opened(t)
      const cookie = name()
      const viewers = Array.from({ length: MOST_OF_COOKIE + 2 }, name)
      for (const viewer of viewers) await engine.addCookie(cookie, viewer, HOUR)
      await engine.addCookie(cookie, viewers[4] as string, HOUR)
      const found = await engine.viewersOf(cookie)
      assert.equal(found.length, MOST_OF_COOKIE)
      assert.equal(found.at(-1), viewers[4])
      assert.ok(!found.includes(viewers[0] as string))
    })

    test('of changes of a user the second one on the same ground changes nothing', async (t) => {
      const { engine } = await opened(t)
      const user = name()
      const [one, two] = [Buffer.from('one'), Buffer.from('two')]
      assert.equal(await engine.replaceUser(user, undefined, one, HOUR), true)
      assert.equal(await engine.replaceUser(user, undefined, two, HOUR), false)
      assert.equal(await engine.replaceUser(user, two, two, HOUR), false)
      assert.deepEqual(await engine.readUser(user), one)
      assert.equal(await engine.replaceUser(user, one, two, HOUR), true)
      assert.deepEqual(await engine.readUser(user), two)
    })

    test('of the marks of a user the largest number stays', async (t) => {
      const { place, engine } = await opened(t)
      const [user, other] = [name(), name()]
      await engine.markUser(user, 7, Buffer.from('seven'), HOUR)
      await engine.markUser(user, 5, Buffer.from('five'), HOUR)
      await engine.close()
      const next = await place.open()
      assert.deepEqual(textsOf(await next.marksOf([other, user])), [undefined, 'seven'])
    })

    test('wide marks are changed one after the other, and the pulse tells their version', async (t) => {
      const { place, engine } = await opened(t)
      assert.equal((await engine.beat(beatOf())).wide, 0)
      assert.equal(await engine.replaceWide(0, Buffer.from('one'), HOUR), true)
      assert.equal(await engine.replaceWide(0, Buffer.from('other'), HOUR), false)
      const first = await engine.wide()
      assert.equal(first?.value.toString(), 'one')
      assert.equal((await engine.beat(beatOf())).wide, first?.version)
      assert.equal(await engine.replaceWide(first?.version ?? 0, Buffer.from('two'), HOUR), true)
      await engine.close()
      const next = await place.open()
      const second = await next.wide()
      assert.equal(second?.value.toString(), 'two')
      assert.notEqual(second?.version, first?.version)
    })

    test('the counter never falls, and takes over the larger number of a gate', async (t) => {
      const { place, engine } = await opened(t)
      assert.equal((await engine.beat(beatOf())).number, 0)
      const one = await engine.nextNumber(0)
      assert.ok((await engine.nextNumber(0)) > one)
      assert.equal(await engine.nextNumber(100), 101)
      assert.equal((await engine.beat(beatOf({ number: 500 }))).number, 500)
      await engine.close()
      const next = await place.open()
      assert.equal((await next.beat(beatOf({ number: 3 }))).number, 500)
    })

    test('a store gets one name and one key', async (t) => {
      const { place, engine } = await opened(t)
      assert.equal((await engine.beat(beatOf())).store, undefined)
      const mine = { name: name(), key: Buffer.from([0, 1, 255]) }
      assert.deepEqual(await engine.identify(mine), mine)
      assert.deepEqual(await engine.identify({ name: name(), key: Buffer.from('other') }), mine)
      assert.equal((await engine.beat(beatOf())).store, mine.name)
      await engine.sealAnew({ name: mine.name, key: Buffer.from('not this') }, Buffer.from('no'))
      await engine.sealAnew(mine, Buffer.from('anew'))
      await engine.close()
      const next = await place.open()
      assert.deepEqual(await next.identify(mine), { name: mine.name, key: Buffer.from('anew') })
    })

    test('the pulse tells a time that goes on', async (t) => {
      const { place, engine } = await opened(t)
      const before = (await engine.beat(beatOf())).time
      assert.ok(Math.abs(before - Date.now()) < HOUR)
      await place.pass(50)
      const after = (await engine.beat(beatOf())).time
      assert.ok(after - before >= 45 && after - before < 30_000, `${after - before} ms`)
    })
  })
}

/** What holds for a store that gates share, beside that. */
export function describeShared(title: string, kind: EngineKind): void {
  const two = async (scope: Scope): Promise<[StoreEngine, StoreEngine]> => {
    const place = await kind.place(scope)
    return [await place.open(), await place.open()]
  }

  describe(title, { concurrency: kind.concurrency ?? 1 }, () => {
    test('what plays at another gate is not told as silent, and a report takes it over', async (t) => {
      const [one, two_] = await two(t)
      const viewer = name()
      const id = name()
      await one.write([changeOf(viewer, id)])
      await two_.write([changeOf(viewer, id, { value: Buffer.from('two') })])
      const [moved] = await one.write([changeOf(viewer, id, { state: 'silent' })])
      assert.deepEqual(moved, { kind: 'moved' })
      assert.deepEqual(textsOf(await one.read(viewer, [id])), ['two'])
      const [written] = await two_.write([changeOf(viewer, id, { state: 'left' })])
      assert.deepEqual(written, { kind: 'written' })
      // It is silent there, so whoever was there before may say so, too.
      const [late] = await one.write([changeOf(viewer, id, { state: 'silent' })])
      assert.deepEqual(late, { kind: 'written' })
      const [ended] = await two_.end([{ viewer, id, value: Buffer.from('x'), keepFor: HOUR }])
      assert.equal(ended?.kind === 'written' && ended.gate, one.gate)
    })

    test('gates are in the roster until they say goodbye', async (t) => {
      const [one, two_] = await two(t)
      await one.beat(beatOf({ entry: Buffer.from([1, 0, 255]), have: 3 }))
      await two_.beat(beatOf())
      const roster = await one.roster()
      assert.deepEqual(roster.map(({ gate }) => gate).sort(), [one.gate, two_.gate].sort())
      const own = roster.find(({ gate }) => gate === one.gate)
      assert.deepEqual([own?.entry, own?.have], [Buffer.from([1, 0, 255]), 3])
      assert.ok((own?.age ?? -1) >= 0 && (own?.age ?? 0) < 60_000)
      await one.goodbye()
      assert.deepEqual(
        (await two_.roster()).map(({ gate }) => gate),
        [two_.gate],
      )
    })

    test('letters come in order, again until they are applied, and no others', async (t) => {
      const [one, two_] = await two(t)
      const letter = (text: string) => ({ gate: two_.gate, value: Buffer.from(text) })
      assert.deepEqual(await one.post([letter('a'), letter('b')]), [1, 2])
      assert.deepEqual(await one.post([{ gate: one.gate, value: Buffer.from('mine') }, letter('c')]), [1, 3])
      const texts = async (beat: Partial<Beat>): Promise<string[]> =>
        (await two_.beat(beatOf(beat))).letters.map(({ number, value }) => `${number} ${value}`)
      assert.deepEqual(await texts({}), ['1 a', '2 b', '3 c'])
      assert.deepEqual(await texts({ have: 1 }), ['2 b', '3 c'])
      assert.deepEqual(await texts({ have: 1, most: 1 }), ['2 b'])
      assert.deepEqual(await texts({ have: 3 }), [])
      assert.deepEqual(await one.post([letter('d')]), [4])
      const { letters, cut } = await two_.beat(beatOf({ have: 3 }))
      assert.deepEqual([letters.map(({ number }) => number), cut], [[4], false])
    })

    test('an inbox holds 4 MB: what is beyond is lost, and told', async (t) => {
      const [one, two_] = await two(t)
      const value = Buffer.alloc(1_000_000, 1)
      assert.equal((await two_.beat(beatOf())).cut, false)
      for (let at = 0; at < 6; at += 1) await one.post([{ gate: two_.gate, value }])
      const { letters, cut } = await two_.beat(beatOf({ most: 1 }))
      assert.equal(cut, true)
      assert.ok((letters[0]?.number ?? 0) > 1)
      const rest = await two_.beat(beatOf({ have: letters[0]?.number ?? 0, most: 10_000_000 }))
      assert.deepEqual([rest.cut, rest.letters.at(-1)?.number], [false, 6])
    })
  })
}
