import type { Letter, RosterEntry, StoreEngine, StoreIdentity } from '../store-engine.ts'
import type { PartOptions } from './client.ts'
import { bytesOf, groupsOf, listOf, millisecondsOf, numberOf, textOf } from './replies.ts'

/** Characters of a store's name. */
const NAME = 22
/** Most letters of one script. */
const BATCH = 64

/** What all gates share; how it lies there says shared-scripts.ts. */
export function createShared({ client, keys, deadlines, gate }: PartOptions) {
  const { beat: atOnce, read, write } = deadlines
  const inOne = ({ name, key }: StoreIdentity): Buffer => Buffer.concat([Buffer.from(name, 'latin1'), key])

  return {
    identify: (candidate) =>
      client.run(write, 'identify', [keys.identity], [inOne(candidate)], ([found]) => {
        const both = bytesOf(found)
        return { name: both.toString('latin1', 0, NAME), key: both.subarray(NAME) }
      }),

    sealAnew: (before, key) =>
      client.run(
        write,
        'sealAnew',
        [keys.identity],
        [inOne(before), inOne({ name: before.name, key })],
        () => undefined,
      ),

    beat: ({ entry, number, have, most }) =>
      client.run(
        atOnce,
        'beat',
        [keys.gates, keys.counter, keys.identity, keys.wide, keys.inbox(gate)],
        [gate, number, have, most, entry],
        ([counter, time, wide, store, cut, ...rest]) => {
          const name = textOf(store)
          return {
            store: name.length === NAME ? name : undefined,
            number: numberOf(counter),
            time: numberOf(time),
            wide: numberOf(wide),
            letters: groupsOf(rest, 2).map(
              ([letter, value]): Letter => ({ number: numberOf(letter), value: bytesOf(value) }),
            ),
            cut: numberOf(cut) === 1,
          }
        },
      ),

    roster: () =>
      client.run(read, 'roster', [keys.gates], [], (all) =>
        all.map((one): RosterEntry => {
          const [name, age, have, entry] = listOf(one, 4)
          return { gate: textOf(name), entry: bytesOf(entry), age: numberOf(age), have: numberOf(have) }
        }),
      ),

    goodbye: () => client.run(write, 'goodbye', [keys.gates, keys.inbox(gate)], [gate], () => undefined),

    async post(letters) {
      const batches = Array.from({ length: Math.ceil(letters.length / BATCH) }, (_, n) =>
        letters.slice(n * BATCH, (n + 1) * BATCH),
      )
      const numbers = await Promise.all(
        batches.map((batch) =>
          client.run(
            write,
            'post',
            [keys.gates, ...batch.map((letter) => keys.inbox(letter.gate))],
            batch.flatMap((letter) => [letter.gate, letter.value]),
            (reply) => listOf(reply, batch.length).map(numberOf),
          ),
        ),
      )
      return numbers.flat()
    },

    nextNumber: (known) =>
      client.run(write, 'nextNumber', [keys.counter], [known], (reply) => numberOf(listOf(reply, 1)[0])),

    wide: () =>
      client.call(read, 'hmget', [keys.wide, 'n', 'v'], (reply) => {
        const [version, value] = listOf(reply ?? [null, null], 2)
        // Where somebody else has written one of them there are none.
        const isVersion = Buffer.isBuffer(version) && /^\d{1,16}$/.test(textOf(version))
        return isVersion && value !== null
          ? { version: Number(textOf(version)), value: bytesOf(value) }
          : undefined
      }),

    replaceWide: (before, value, keepFor) =>
      client.run(
        write,
        'replaceWide',
        [keys.wide],
        [before, value, millisecondsOf(keepFor)],
        (reply) => numberOf(listOf(reply, 1)[0]) === 1,
      ),
  } satisfies Partial<StoreEngine>
}
