import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { decodeBundle, encodeBundle } from '../../src/state/level/bundle.ts'
import { clientRequest, deny } from '../support/pretend-gate.ts'
import { createPretendMachine } from '../support/pretend-machine.ts'
import { until } from '../support/until.ts'

const MINUTE = 60_000
const VIEWERS = 20
const lifetimes = { allow: 'session' as const, resume: 'backend' as const }

type Fields = Record<string, unknown>

/** Records as another release would have written them. */
const releases: [string, (record: Fields) => Fields][] = [
  ['writes the very same', (record) => record],
  [
    'writes fields that this one does not know',
    (record) => ({ ...record, limit: { max: 3 }, cookie: 'x', zap: null }),
  ],
  ['writes its fields in another order', (record) => Object.fromEntries(Object.entries(record).reverse())],
  [
    'has a reason of failure that this one does not know',
    (record) => ({
      ...record,
      failure: { reason: 'unavailable-comet', at: record['openedAt'], holdsUntil: 9e15 },
    }),
  ],
]

describe('upgrade and rollback while viewers play, with credentials that have died', () => {
  for (const [what, rewrite] of releases)
    test(`the other release ${what}: all go on`, async (t) => {
      const machine = createPretendMachine(t)
      const viewers = Array.from({ length: VIEWERS }, (_, n) => ({ address: `192.0.2.${n + 1}` }))
      const ids = new Map<string, string>()
      const own = (who: { readonly address: string }) =>
        clientRequest(`/live/one/index.m3u8?token=X&box=${who.address}`, who)
      const first = await machine.start({ lifetimes })
      for (const who of viewers) ids.set(who.address, (await first.decide(own(who))).sessionId)
      await first.stop()

      // This release, the other one, and this one again.
      for (let turn = 0; turn < 2; turn++) {
        await rewriteRecords(machine.place.folder, rewrite)
        machine.pass(MINUTE)
        const next = await machine.start({ lifetimes })
        next.answers(() => deny())
        for (const [at, who] of viewers.entries()) {
          const request = at % 2 === 0 ? clientRequest('/live/one/1.ts', who) : own(who)
          const { verdict, sessionId } = await next.decide(request)
          assert.deepEqual([verdict, sessionId], ['allow', ids.get(who.address)], `turn ${turn}`)
        }
        assert.deepEqual(next.asked, [])
        await next[turn === 0 ? 'stop' : 'kill']()
      }
    })

  test('a record of another format is left alone, for the release that can read it', async (t) => {
    const machine = createPretendMachine(t)
    const first = await machine.start({ lifetimes })
    const { sessionId } = await first.decide(clientRequest('/live/one/index.m3u8?token=X'))
    await first.stop()
    await changeStore(machine.place.folder, (key, value) => [[key.replace(/^1/, '2'), value]])

    const older = await machine.start({ lifetimes })
    older.answers(() => deny())
    assert.equal((await older.decide(clientRequest('/live/one/1.ts'))).verdict, 'deny')
    let swept = false
    void older.store.sweep().then(() => {
      swept = true
    })
    await until('the sweep', async () => {
      await older.pass(20)
      return swept
    })
    await older.stop()
    await changeStore(machine.place.folder, (key, value) => [[key.replace(/^2/, '1'), value]])

    const newer = await machine.start({ lifetimes })
    const { reason, sessionId: id } = await newer.decide(clientRequest('/live/one/1.ts'))
    assert.deepEqual([reason, id], ['adopted', sessionId])
  })
})

function rewriteRecords(folder: string, rewrite: (record: Fields) => Fields): Promise<void> {
  return changeStore(folder, (key, value) => {
    const entries = decodeBundle(value)
    assert.ok(entries !== undefined && entries.length > 0, key)
    const written = entries.map(({ id, expiresAt, payload }) => {
      // The first byte says that it is not sealed.
      const record = rewrite(JSON.parse(payload.toString('utf8', 1)) as Fields)
      const text = Buffer.from(JSON.stringify(record))
      return { id, expiresAt, payload: Buffer.concat([payload.subarray(0, 1), text]) }
    })
    return [[key, encodeBundle(written)]]
  })
}

/** Changes what lies in a store that is closed, except its time. */
async function changeStore(
  folder: string,
  change: (key: string, value: Buffer) => [key: string, value: Buffer][],
): Promise<void> {
  const level: ClassicLevel<string, Buffer> = new ClassicLevel(join(folder, 'sessions'), {
    keyEncoding: 'utf8',
    compression: false,
    valueEncoding: 'buffer',
  })
  await level.open()
  for (const [key, value] of await level.iterator().all()) {
    if (key.startsWith('!')) continue
    await level.del(key)
    for (const [changed, content] of change(key, value)) await level.put(changed, content)
  }
  await level.close()
}
