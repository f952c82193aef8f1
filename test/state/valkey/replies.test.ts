import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REPLIES_KEPT } from '../../../src/state/shared-store.ts'
import { settingsFor, startValkey } from '../../support/valkey.ts'
import { makeStore } from './valkey-place.ts'

test('answers to a question come in their order, sealed, and are dropped after a time', async (t) => {
  const server = await startValkey(t, { unix: true })
  const [asker, other] = [makeStore(settingsFor([server])), makeStore(settingsFor([server]))]
  for (const store of [asker, other]) {
    t.after(() => store.close())
    await store.open()
  }
  await other.replies.answer('ask', 'from anna')
  await asker.replies.answer('ask', 'from otto')
  assert.deepEqual(await asker.replies.answers('ask', 0), ['from anna', 'from otto'])
  assert.deepEqual(await asker.replies.answers('ask', 1), ['from otto'])
  assert.deepEqual(await asker.replies.answers('another', 0), [])
  const [key = ''] = (await server.cli('KEYS', '*re*')).split('\n')
  assert.ok(!(await server.cli('LRANGE', key, '0', '-1')).includes('anna'))
  const left = Number(await server.cli('PTTL', key))
  assert.ok(left > 0 && left <= REPLIES_KEPT, `${left}`)
  await server.cli('RPUSH', key, 'not ours')
  assert.deepEqual(await asker.replies.answers('ask', 2), [''])
})
