import { pathToFileURL } from 'node:url'
import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import type { ValkeyStore } from '../../../src/state/valkey/valkey-store.ts'
import { until } from '../../support/until.ts'
import { makeRecord, makeWrite } from '../records.ts'
import { makeStore } from './valkey-place.ts'

/**
 * Does all that a gate does with an open store, scripts with all their branches included.
 * @param patience milliseconds until a message must be heard
 */
export async function useAll(store: ValkeyStore, patience = 10_000): Promise<void> {
  const { viewer } = makeRecord()
  const now = store.now()
  let heard = 0
  store.messages.onMessage(() => {
    heard += 1
  })
  const many = Array.from({ length: 520 }, (_, n) => makeWrite({ id: `s${n}` }, now + 60_000 + n))
  await store.write(many)
  await store.write([makeWrite({ id: 's519', silent: true })])
  await store.remove([{ viewer, id: 's518', end: { why: 'closed' } }])
  await store.write([makeWrite({ id: 's518' })])
  await store.recall(viewer)
  await store.slice(undefined, 100)
  await store.mark({ filter: { user: 'anna' }, at: now, until: now + 60_000 })
  await store.marks()
  const written = await store.users.write('anna', 'text', await store.users.read('anna'), 60_000)
  if (written !== undefined) await store.users.write('anna', 'more', written, 60_000)
  await store.gates.tell({ name: 'edge', version: '1', sessions: 1 })
  await store.gates.list()
  await store.replies.answer('ask', 'an answer')
  await store.replies.answers('ask', 0)
  await store.claimSweep(1)
  await until(
    'a message is heard',
    async () => {
      await store.messages.post({ kind: 'hello' })
      return heard > 1
    },
    patience,
  )
}

/** As a program, with the settings as its parameter. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const store = makeStore(JSON.parse(process.argv[2] ?? '') as ValkeySettings)
  await store.open()
  await useAll(store)
  await store.close()
}
