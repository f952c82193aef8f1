import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createKeys } from '../../src/state/keys.ts'
import {
  type ListedSession,
  MOST_OF_COOKIE,
  type SessionChange,
  type StoreEngine,
  StoreError,
  type StoreIdentity,
  type StoreTrouble,
} from '../../src/state/store-engine.ts'

export interface MemoryEngine extends StoreEngine {
  /** Its process has died: nothing that it was asked for happens any more. */
  kill(): void
}

/** A place where engines keep what they keep, as a folder or Valkey would. */
export interface MemoryPlace {
  create(): MemoryEngine
  /** From now on these calls fail, or all of them; undefined: they work again. */
  fails(trouble: StoreTrouble | undefined, calls?: readonly (keyof StoreEngine)[]): void
  /** From now on calls wait, but for heartbeats. The result lets them go on, in their order. */
  hold(): () => Promise<void>
  /** A damaged place is set aside by the engine that opens it next. */
  damage(): void
  /** All is forgotten, as by FLUSHALL. */
  flush(): void
  /** Its clock is set by so many milliseconds. */
  step(by: number): void
  /** Each call but heartbeats, and the ids that it was about, oldest first. */
  readonly calls: readonly string[]
  /** The ids of the sessions that are kept and have not ended. */
  ids(): string[]
}

interface Kept {
  readonly id: string
  readonly viewer: string
  readonly value: Buffer
  readonly state: SessionChange['state']
  readonly gate: string
  readonly change: number
  readonly until: number
  readonly isEnd: boolean
}

interface Timed<Value> {
  readonly value: Value
  readonly until: number
}

interface Gate {
  entry: Buffer
  have: number
  at: number
  inbox: { readonly number: number; readonly value: Buffer }[]
  last: number
}

/** The time of the store at 0 of the clock: it is no clock of a process. */
const EPOCH = 1_000_000_000

/** @param clock milliseconds that go on whatever process runs */
export function createMemoryPlace(clock: () => number, isShared = false): MemoryPlace {
  const keys = createKeys('')
  let sessions = new Map<string, Kept>()
  let users = new Map<string, Timed<Buffer>>()
  let marks = new Map<string, Timed<{ readonly number: number; readonly value: Buffer }>>()
  let cookies = new Map<string, Timed<readonly string[]>>()
  let gates = new Map<string, Gate>()
  let wide: { readonly version: number; readonly value: Buffer } | undefined
  let identity: StoreIdentity | undefined
  let counter = 0
  let changes = 0
  const calls: string[] = []
  let trouble: StoreTrouble | undefined
  let failing: readonly (keyof StoreEngine)[] | undefined
  let isDamaged = false
  let held: Promise<void> | undefined
  let owner: MemoryEngine | undefined
  let stepped = 0
  const now = (): number => EPOCH + Math.floor(clock()) + stepped
  const alive = <Value>(timed: Timed<Value> | undefined): Value | undefined =>
    timed !== undefined && timed.until > now() ? timed.value : undefined
  const find = (viewer: string, id: string): Kept | undefined => {
    const kept = sessions.get(`${viewer} ${id}`)
    return kept !== undefined && kept.until > now() ? kept : undefined
  }
  const put = (kept: Kept): void => void sessions.set(`${kept.viewer} ${kept.id}`, kept)

  const flush = (): void => {
    sessions = new Map()
    users = new Map()
    marks = new Map()
    cookies = new Map()
    gates = new Map()
    wide = undefined
    identity = undefined
    counter = 0
  }

  const create = (): MemoryEngine => {
    const gate = randomBytes(16).toString('base64url')
    let isOpen = false
    let isDead = false
    let last: Promise<unknown> = Promise.resolve()

    /** One call after another. */
    const call = <Result>(name: keyof StoreEngine, about: readonly string[], act: () => Result) => {
      const result = last.then(async () => {
        if (held !== undefined && name !== 'beat') await held
        if (isDead) await new Promise<never>(() => {})
        if (name !== 'beat') calls.push([name, ...about].join(' '))
        const fails = failing?.includes(name) ?? true
        if (trouble !== undefined && fails) throw new StoreError(trouble, `pretended: ${trouble}`)
        if (!isOpen && name !== 'open') throw new StoreError('failed', 'it is not open; open it')
        return act()
      })
      last = result.catch(() => undefined)
      return result
    }

    const mine = (): Gate => {
      const known = gates.get(gate) ?? { entry: Buffer.alloc(0), have: 0, at: 0, inbox: [], last: 0 }
      gates.set(gate, known)
      return known
    }

    const engine: MemoryEngine = {
      ...{ keys, gate, isShared, isParted: false },
      open: () =>
        call('open', [], () => {
          if (!isShared && owner !== undefined && owner !== engine)
            throw new StoreError('in-use', 'another has it')
          owner = engine
          isOpen = true
          if (!isDamaged) return undefined
          isDamaged = false
          flush()
          return 'it was damaged, and put aside'
        }),
      async close() {
        isOpen = false
        if (owner === engine) owner = undefined
      },
      kill() {
        isDead = true
        if (owner === engine) owner = undefined
      },
      identify: (candidate) =>
        call('identify', [], () => {
          identity ??= candidate
          return identity
        }),
      sealAnew: ({ name }, key) =>
        call('sealAnew', [], () => {
          identity = { name, key }
        }),
      beat: ({ entry, number, have }) =>
        call('beat', [], () => {
          counter = Math.max(counter, number)
          const own = mine()
          Object.assign(own, { entry, have, at: now() })
          own.inbox = own.inbox.filter((letter) => letter.number > have)
          const first = own.inbox[0]?.number ?? own.last + 1
          const wideVersion = wide?.version ?? 0
          return {
            ...{ store: identity?.name, number: counter, time: now(), wide: wideVersion },
            ...{ letters: [...own.inbox], cut: first > have + 1 },
          }
        }),
      roster: () =>
        call('roster', [], () =>
          [...gates].map(([one, { entry, have, at }]) => ({ gate: one, entry, have, age: now() - at })),
        ),
      goodbye: () => call('goodbye', [], () => void gates.delete(gate)),
      post: (letters) =>
        call('post', [], () =>
          letters.map(({ gate: to, value }) => {
            const there = gates.get(to)
            if (there === undefined) return 0
            there.last += 1
            there.inbox.push({ number: there.last, value })
            return there.last
          }),
        ),
      nextNumber: (known) =>
        call('nextNumber', [], () => {
          counter = Math.max(counter, known) + 1
          return counter
        }),
      list: (viewer) =>
        call('list', [], () =>
          [...sessions.values()].flatMap((kept): ListedSession[] =>
            kept.viewer === viewer && !kept.isEnd && kept.until > now()
              ? [{ id: kept.id, change: kept.change, state: kept.state }]
              : [],
          ),
        ),
      read: (viewer, ids) => call('read', ids, () => ids.map((id) => find(viewer, id)?.value)),
      write: (all) =>
        call('write', idsOf(all), () =>
          all.map(({ viewer, id, state, value, keepFor }) => {
            const before = find(viewer, id)
            if (before?.isEnd) return { kind: 'ended' as const, end: before.value }
            if (state !== 'playing' && before?.state === 'playing' && before.gate !== gate)
              return { kind: 'moved' as const }
            changes += 1
            put({ viewer, id, state, value, gate, change: changes, until: now() + keepFor, isEnd: false })
            return { kind: 'written' as const }
          }),
        ),
      end: (all) =>
        call('end', idsOf(all), () =>
          all.map(({ viewer, id, value, keepFor }) => {
            const before = find(viewer, id)
            if (before?.isEnd) return { kind: 'written' as const, gate: undefined, before: before.value }
            const until = now() + keepFor
            put({ viewer, id, value, until, state: 'left', gate, change: 0, isEnd: true })
            return { kind: 'written' as const, gate: before?.gate }
          }),
        ),
      drop: (all) =>
        call('drop', idsOf(all), () => {
          for (const { viewer, id } of all)
            if (find(viewer, id)?.isEnd === false) sessions.delete(`${viewer} ${id}`)
        }),
      addCookie: (cookie, viewer, keepFor) =>
        call('addCookie', [], () => {
          const others = (alive(cookies.get(cookie)) ?? []).filter((one) => one !== viewer)
          cookies.set(cookie, {
            value: [...others, viewer].slice(-MOST_OF_COOKIE),
            until: Math.max(now() + keepFor, cookies.get(cookie)?.until ?? 0),
          })
        }),
      viewersOf: (cookie) => call('viewersOf', [], () => alive(cookies.get(cookie)) ?? []),
      readUser: (user) => call('readUser', [], () => alive(users.get(user))),
      replaceUser: (user, before, value, keepFor) =>
        call('replaceUser', [], () => {
          const there = alive(users.get(user))
          if (there === undefined ? before !== undefined : !before || !there.equals(before)) return false
          users.set(user, { value, until: now() + keepFor })
          return true
        }),
      markUser: (user, number, value, keepFor) =>
        call('markUser', [], () => {
          if ((alive(marks.get(user))?.number ?? 0) < number)
            marks.set(user, { value: { number, value }, until: now() + keepFor })
        }),
      marksOf: (all) => call('marksOf', [], () => all.map((user) => alive(marks.get(user))?.value)),
      wide: () => call('wide', [], () => wide),
      replaceWide: (before, value) =>
        call('replaceWide', [], () => {
          if ((wide?.version ?? 0) !== before) return false
          wide = { version: before + 1, value }
          return true
        }),
      former: () => call('former', [], () => []),
    }
    return engine
  }

  return {
    create,
    fails(next, which) {
      trouble = next
      failing = which
    },
    hold() {
      let release = (): void => {}
      held = new Promise<void>((resolve) => {
        release = resolve
      })
      return async () => {
        held = undefined
        release()
        await setImmediate()
      }
    },
    damage() {
      isDamaged = true
    },
    flush,
    step(by) {
      stepped += by
    },
    calls,
    ids: () =>
      [...sessions.values()].filter(({ isEnd, until }) => !isEnd && until > now()).map(({ id }) => id),
  }
}

function idsOf(all: readonly { readonly id: string }[]): string[] {
  return all.map(({ id }) => id)
}
