import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DecisionMade } from '../../src/decision/decide.ts'
import { createPathCredentialNotice } from '../../src/service/path-credential-notice.ts'
import { denied } from '../../src/verdict.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { clientRequest } from '../support/pretend-gate.ts'

/** How often the log is warned when a backend has answered these requests. */
function warningsAfter(targets: readonly string[], reason: DecisionMade['decision']['reason']): number {
  let warned = 0
  const write = (): void => {}
  const log = { error: write, info: write, debug: write, debugs: false, warn: () => void warned++ }
  const { decided } = createPathCredentialNotice(log)
  for (const target of targets) {
    const decision = denied('', 'backend', reason, 0, false)
    decided?.({ subrequest: clientRequest(target), decision, backend: '', occasion: 'question', took: 0 })
  }
  return warned
}

describe('a path that looks as if it held user and password', () => {
  for (const target of [
    '/live/u/p/5.ts',
    '/live/u/p/5.m3u8',
    '/movie/u/p/5.mkv',
    '/series/u/p/5.mp4',
    '/timeshift/u/p/60/2024-05-01:10-00/5.ts',
  ])
    test(`${target} is told once`, () => {
      assert.equal(warningsAfter([target, target, '/live/v/q/6.ts'], 'backend-200'), 1)
    })

  for (const target of [
    '/live/news/index.m3u8',
    '/live/news/720p/index.m3u8',
    '/live/news/5.ts',
    '/vod/2024/film/5.mp4',
    '/live/u/p/5.ts?token=1',
    '/live/u/p/logo5.png',
  ])
    test(`${target} is not one`, () => assert.equal(warningsAfter([target], 'backend-200'), 0))

  test('says nothing where the backend denies', () => {
    assert.equal(warningsAfter(['/live/u/p/5.ts'], 'backend-403'), 0)
  })

  test('says nothing where CREDENTIAL_PATTERN is set, and shows neither of them', async (t) => {
    const backend = await startBackend(t)
    backend.answer = status(200)
    for (const [CREDENTIAL_PATTERN, warned] of [
      ['', true],
      ['^/live/([^/]+)/([^/]+)/', false],
    ] as const) {
      const gate = await startGate(t, { BACKEND_URL: backend.url, CREDENTIAL_PATTERN })
      await askGate(gate.port, { uri: '/live/zara/hunter2/5.ts' })
      const warnings = gate.log.filter(({ level }) => level === 'warn')
      assert.equal(warnings.length, warned ? 1 : 0)
      assert.doesNotMatch(JSON.stringify(warnings), /zara|hunter2/)
    }
  })
})
