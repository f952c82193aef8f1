import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { type StoreEngine, StoreError } from '../../../src/state/store-engine.ts'
import type { ValkeyMode } from '../../../src/state/valkey/valkey-settings.ts'
import { createChance } from '../../support/create-chance.ts'
import type { Scope } from '../../support/scope.ts'
import { until } from '../../support/until.ts'
import { settingsFor } from '../../support/valkey.ts'
import { beat, makeEngine, troubleOf } from './engine-place.ts'
import { type AskedCommand, numberOf, startOddValkey } from './odd-valkey.ts'

/** Milliseconds that a call may take, and after which it must have ended whatever is answered. */
const DEADLINE = 150
const SPARE = 2_000

const viewer = 'v'.repeat(22)
const value = Buffer.from('value')
const session = { viewer, id: 'one', value, keepFor: 1_000 }
const identity = { name: 'n'.repeat(22), key: value }
const isText = (text: unknown): boolean => typeof text === 'string'
const isNumber = (number: unknown): boolean => Number.isSafeInteger(number)
const isBytes = (bytes: unknown): boolean => Buffer.isBuffer(bytes)
const isMaybe = (one: unknown): boolean => one === undefined || isBytes(one)

/** Each call of an engine, and whether what it resolves with has the shape that was promised. */
const calls: readonly (readonly [
  name: string,
  call: (engine: StoreEngine) => Promise<unknown>,
  fits: (result: never) => boolean,
])[] = [
  [
    'beat',
    (engine) => engine.beat({ entry: value, number: 1, have: 0, most: 1_000 }),
    (pulse: Awaited<ReturnType<StoreEngine['beat']>>) =>
      [pulse.number, pulse.time, pulse.wide].every(isNumber) &&
      (pulse.store === undefined || pulse.store.length === 22) &&
      pulse.letters.every((letter) => isNumber(letter.number) && isBytes(letter.value)),
  ],
  [
    'identify',
    (engine) => engine.identify(identity),
    (found: typeof identity) => isText(found.name) && isBytes(found.key),
  ],
  ['sealAnew', (engine) => engine.sealAnew(identity, value), isNothing],
  [
    'roster',
    (engine) => engine.roster(),
    (all: Awaited<ReturnType<StoreEngine['roster']>>) =>
      all.every((one) => isText(one.gate) && isNumber(one.age) && isNumber(one.have) && isBytes(one.entry)),
  ],
  ['goodbye', (engine) => engine.goodbye(), isNothing],
  [
    'post',
    (engine) =>
      engine.post([
        { gate: 'a', value },
        { gate: 'b', value },
      ]),
    (numbers: readonly unknown[]) => numbers.length === 2 && numbers.every(isNumber),
  ],
  ['nextNumber', (engine) => engine.nextNumber(1), isNumber],
  [
    'list',
    (engine) => engine.list(viewer),
    (all: Awaited<ReturnType<StoreEngine['list']>>) =>
      all.every((one) => isText(one.id) && isNumber(one.change) && /^(playing|silent|left)$/.test(one.state)),
  ],
  [
    'read',
    (engine) => engine.read(viewer, ['one', 'two']),
    (values: readonly unknown[]) => values.length === 2 && values.every(isMaybe),
  ],
  [
    'write',
    (engine) => engine.write([{ ...session, state: 'playing', credential: 'c' }]),
    ([outcome, ...more]: readonly Readonly<Record<string, unknown>>[]) =>
      more.length === 0 && /^(written|moved|ended|failed)$/.test(String(outcome?.['kind'])),
  ],
  [
    'end',
    (engine) => engine.end([session]),
    ([outcome, ...more]: readonly Readonly<Record<string, unknown>>[]) =>
      more.length === 0 &&
      /^(written|failed)$/.test(String(outcome?.['kind'])) &&
      isMaybe(outcome?.['before']),
  ],
  ['drop', (engine) => engine.drop([session]), isNothing],
  ['addCookie', (engine) => engine.addCookie('cookie', viewer, 1_000), isNothing],
  ['viewersOf', (engine) => engine.viewersOf('cookie'), (all: readonly unknown[]) => all.every(isText)],
  ['readUser', (engine) => engine.readUser('user'), isMaybe],
  ['replaceUser', (engine) => engine.replaceUser('user', undefined, value, 1_000), isFlag],
  ['markUser', (engine) => engine.markUser('user', 1, value, 1_000), isNothing],
  [
    'marksOf',
    (engine) => engine.marksOf(['one', 'two']),
    (values: readonly unknown[]) => values.length === 2 && values.every(isMaybe),
  ],
  [
    'wide',
    (engine) => engine.wide(),
    (wide: Awaited<ReturnType<StoreEngine['wide']>>) =>
      wide === undefined || (isNumber(wide.version) && isBytes(wide.value)),
  ],
  ['replaceWide', (engine) => engine.replaceWide(0, value, 1_000), isFlag],
  [
    'former',
    (engine) => engine.former('place'),
    (all: Awaited<ReturnType<StoreEngine['former']>>) =>
      all.every((one) => isText(one.id) && isBytes(one.payload)),
  ],
]

function isNothing(result: unknown): boolean {
  return result === undefined
}

function isFlag(result: unknown): boolean {
  return typeof result === 'boolean'
}

/** A number below `most`. */
type Chance = (most: number) => number

const words = [
  'ERR odd',
  'MOVED',
  'MOVED 1',
  'MOVED x y',
  'MOVED 1 127.0.0.1:99999999',
  'MOVED 99999999999 :1',
]
const errors = [
  ...[...words, 'ASK', 'ASK 1 127.0.0.1:1', 'TRYAGAIN', 'CLUSTERDOWN', 'NOSCRIPT no', 'WRONGTYPE x', ''],
  ...['READONLY x', 'LOADING x', 'MASTERDOWN x', 'OOM x', 'NOAUTH x', 'WRONGPASS x', 'NOPERM x', 'BUSY x'],
]

/** A value of the protocol, whatever it is; `deep` bounds how far arrays hold arrays. */
function drawValue(chance: Chance, deep = 2): string {
  switch (chance(deep > 0 ? 9 : 7)) {
    case 0:
      return `:${chance(2) === 0 ? chance(3) : -chance(1_000)}\r\n`
    case 1:
      return `:${'9'.repeat(1 + chance(30))}\r\n`
    case 2:
      return chance(2) === 0 ? '$-1\r\n' : '*-1\r\n'
    case 3:
      return `-${errors[chance(errors.length)]}\r\n`
    case 4:
      return '+OK\r\n'
    case 5:
      return bulk(Array.from({ length: chance(40) }, () => String.fromCharCode(chance(256))).join(''))
    case 6:
      return bulk(
        ['one', '0', '12:p:1:1::', '-1', 'NaN', 'x'.repeat(30), '1:gate:0:1:sealed'][chance(7)] ?? '',
      )
    default:
      return drawList(chance, deep)
  }
}

function drawList(chance: Chance, deep: number, first: readonly string[] = []): string {
  const rest = Array.from({ length: chance(9) }, () => drawValue(chance, deep - 1))
  return `*${first.length + rest.length}\r\n${first.join('')}${rest.join('')}`
}

/** In the place of a reply: of a wrong type or length, more than one, a part of one, or nothing at all. */
function drawReply(chance: Chance, command: AskedCommand): string {
  const number = numberOf(command)
  switch (chance(12)) {
    case 0:
      return Array.from({ length: chance(60) }, () => String.fromCharCode(chance(256))).join('')
    case 1:
      return drawValue(chance).slice(0, chance(12))
    case 2:
      return drawValue(chance) + drawValue(chance)
    case 3:
      return (
        ['*99999999999\r\n', '*1\r\n'.repeat(20_000), '$-1\r\n$-1\r\n', '$99999999999\r\n'][chance(4)] ?? ''
      )
    case 4:
    case 5:
    case 6:
    case 7:
      // It knows what it is asked: only what follows is odd.
      if (number !== undefined) return drawList(chance, 3, [`:${number}\r\n`])
      return drawList(chance, 3)
    default:
      return drawValue(chance, 3)
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}

/**
 * Draws so many replies, some at once. It fails where a call ends otherwise than with a result of its shape
 * or a `StoreError`, or not within its deadline, where anything else throws, or where an engine cannot be used
 * again once the answers are right again.
 */
export async function drawReplies(
  scope: Scope,
  { count, atOnce, mode, seed }: { count: number; atOnce: number; mode: ValkeyMode; seed: number },
): Promise<void> {
  const random = createChance(seed)
  const chance: Chance = (most) => Math.floor(random() * most)
  const loose: unknown[] = []
  const note = (error: unknown): void => void loose.push(error)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  scope.after(() => {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
  })
  let left = count
  const draw = async (): Promise<void> => {
    const server = await startOddValkey(scope)
    const settings = { ...settingsFor([]), nodes: [server.address], mode }
    const deadlines = { beat: DEADLINE, read: DEADLINE, write: DEADLINE, open: 5_000 }
    const engine = makeEngine(settings, deadlines)
    scope.after(() => engine.close())
    await engine.open()
    while (left > 0) {
      left -= 1
      const [name, call, fits] = calls[chance(calls.length)] as (typeof calls)[number]
      let told = ''
      // Sometimes what iovalkey asks for itself is answered so, too.
      const isAll = chance(8) === 0
      server.answer((command) => {
        if (!isAll && ['cluster', 'sentinel', 'auth', 'select'].includes(command.name)) return undefined
        const reply = drawReply(chance, command)
        told = `${command.name}: ${JSON.stringify(reply.slice(0, 200))}`
        return Buffer.from(reply, 'latin1')
      })
      const began = performance.now()
      const result = await Promise.race([
        call(engine).then(
          (resolved) => fits(resolved as never) || `resolved with ${JSON.stringify(resolved)}`,
          (error: unknown) => error instanceof StoreError || `rejected with ${String(error)}`,
        ),
        delay(DEADLINE + SPARE, 'late', { ref: false }),
      ])
      const took = Math.round(performance.now() - began)
      assert.equal(result, true, `${name}, answered by ${told} after ${took} ms: ${result}`)
      assert.deepEqual(loose, [], `${name}, answered by ${told}`)
      if (isAll) await delay(20)
      server.answer(() => undefined)
      await until(`${name} is over, answered by ${told}`, () =>
        troubleOf(beat(engine)).then((trouble) => trouble === 'fine'),
      )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, draw))
  assert.deepEqual(loose, [])
}
