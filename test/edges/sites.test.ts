import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { edgeSettings } from '../support/edges.ts'
import { startKeptGate } from '../support/kept-gate.ts'
import { createOneTimeTokens } from '../support/one-time-tokens.ts'
import { startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

test('edges with names of their own are one site where the operator says so, and apart where not', async (t) => {
  const backend = await startBackend(t)
  const tokens = createOneTimeTokens()
  backend.answer = tokens.answer
  const settings = { ...edgeSettings(backend), ...storeOf(await startValkey(t)), STATE_TIMEOUT: '1s' }
  const [one, other] = await Promise.all([startKeptGate(t, settings), startKeptGate(t, settings)])
  const [edge1, edge2] = ['https://edge1.example.com', 'https://edge2.example.com']
  for (const site of ['tv', undefined]) {
    const more = site === undefined ? {} : { site }
    const uri = `/live/one/index.m3u8?token=${tokens.issue('anna')}`
    const userAgent = `player of ${site}`
    const opened = await one.ask({ uri, userAgent, origin: edge1, ...more })
    assert.equal(opened.status, 200)
    const { status, reason, sessionId } = await other.ask({
      ...{ uri: '/live/one/1.ts', userAgent, origin: edge2 },
      ...more,
    })
    if (site === undefined) assert.equal(status, 403)
    else assert.deepEqual([status, reason, sessionId], [200, 'adopted', opened.sessionId])
  }
  // The backend is told the host name that the viewer has asked.
  assert.equal(backend.asked[0]?.headers['X-Real-Origin'], edge1)
})
