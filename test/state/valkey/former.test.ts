import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingsFor, startValkey } from '../../support/valkey.ts'
import { openEngine } from './engine-place.ts'

const LATER = '99999999999999'
const EARLIER = '1700000000000'

test('what the release before has kept of a viewer is read, without what has ended or expired', async (t) => {
  const server = await startValkey(t, { unix: true })
  const engine = await openEngine(t, settingsFor([server]))
  const fields = [
    ...['rplays', `${LATER}:gate:0:123:sealed:1`, 'rsilent', `${LATER}:gate:1:123:`],
    ...['rexpired', `${EARLIER}:gate:0:123:sealed`, 'rended', `${LATER}:gate:0:123:sealed`],
    ...['xended', `${LATER}:gate:sealed`, 'xplays', `${EARLIER}:gate:sealed`, 'rodd', 'sealed', 'odd', 'odd'],
  ]
  await server.cli('HSET', 'test:1:v{place}', ...fields)
  const found = await engine.former('place')
  assert.deepEqual(
    found.map(({ id, payload }) => `${id} ${payload}`),
    ['plays sealed:1', 'silent '],
  )
})

test('so are its closings', async (t) => {
  const server = await startValkey(t, { unix: true })
  const engine = await openEngine(t, settingsFor([server]))
  await server.cli(
    'HSET',
    'test:1:{marks}',
    'one',
    `${LATER}:sealed:x`,
    'two',
    `${EARLIER}:sealed`,
    'odd',
    'x',
  )
  const found = await engine.former('marks')
  assert.deepEqual(
    found.map(({ id, payload }) => `${id} ${payload}`),
    ['one sealed:x'],
  )
})
