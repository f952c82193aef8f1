import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { request } from '../support/client.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring } from '../support/site.ts'
import { startSiteWithOrigin } from '../support/site-with-origin.ts'

const REQUESTS = 60
/** A handful, where a connection for each request would make 60. */
const FEW = 16

const kinds: [what: string, sent: { target: string; method?: string; body?: string }, status: number][] = [
  ['allows', { target: '/index.m3u8?token=good' }, 200],
  ['denies', { target: '/index.m3u8?token=bad' }, 403],
  ['allows of requests with a body', { target: '/origin/?token=good', method: 'POST', body: 'abc' }, 200],
  ['denies of requests with a body', { target: '/origin/?token=bad', method: 'POST', body: 'abc' }, 403],
  ['refusals without a question', { target: `/index.m3u8?${'&'.repeat(600)}` }, 403],
]

describe('nginx keeps its connections to the gate', () => {
  let accepted = 0
  const site = forSuite(async (scope) => {
    const site = await startSiteWithOrigin(scope)
    site.gate.service.gateServer.on('connection', () => accepted++)
    return site
  })
  beforeEach(() => {
    accepted = 0
  })

  for (const [what, sent, status] of kinds) {
    const send = async (viewer: string): Promise<void> => {
      const length = sent.body === undefined ? [] : [`Content-Length: ${sent.body.length}`]
      const headers = [`User-Agent: ${viewer}`, ...length]
      assert.equal((await request({ port: site.nginx.port, ...sent, headers })).status, status)
    }
    const questions = sent.target.includes('token') ? REQUESTS : 0

    test(`for ${REQUESTS} ${what}, one after the other`, async () => {
      const asked = await questionsDuring(site.backend, async () => {
        for (let index = 0; index < REQUESTS; index++) await send(newViewer())
      })
      assert.equal(asked.length, questions)
      assert.ok(accepted <= FEW, `${accepted} connections`)
    })

    test(`for ${REQUESTS} ${what}, eight at a time`, async () => {
      const asked = await questionsDuring(site.backend, async () => {
        let left = REQUESTS
        const worker = async (): Promise<void> => {
          while (left-- > 0) await send(newViewer())
        }
        await Promise.all(Array.from({ length: 8 }, worker))
      })
      assert.equal(asked.length, questions)
      assert.ok(accepted <= FEW, `${accepted} connections`)
    })
  }

  test('for remembered verdicts', async () => {
    const asked = await questionsDuring(site.backend, async () => {
      for (const [, sent, status] of kinds.slice(0, 2)) {
        const headers = ['User-Agent: remembered']
        for (let index = 0; index < REQUESTS; index++) {
          assert.equal((await request({ port: site.nginx.port, ...sent, headers })).status, status)
        }
      }
    })
    assert.equal(asked.length, 2)
    assert.ok(accepted <= FEW, `${accepted} connections`)
  })
})
