import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createPageServer } from '../../demo/page-server.ts'
import { readEdges } from '../../demo/read-edges.ts'
import { readEvents } from '../support/event-reader.ts'
import { listenOnLoopback } from '../support/listen-on-loopback.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const decided = (session: string): string =>
  '127.0.0.1 [24/Nov/2026:13:25:42 +0200] "GET /live/a.ts" 200 12 ' +
  `verdict=allow source=session reason=riding session=${session} user=- request=4fd6ba3 "Mozilla/5.0"\n`

describe('a page with several edges', () => {
  test('is told their ports, and of each decision at which edge it was made', async (t) => {
    const folder = makeTemporaryFolder(t)
    const edges = [8080, 8081].map((port) => ({ port, accessLog: join(folder, `${port}.log`) }))
    const { server, end } = createPageServer({ accessLog: edges })
    t.after(end)
    const { port } = await listenOnLoopback(t, server)
    const { events } = await readEvents(t, port, '/demo/events')
    await until('the state', () => events.length === 1)
    assert.deepEqual(events[0]?.data, { controls: false, edges: [8080, 8081] })
    for (const { accessLog } of edges.toReversed()) {
      const before = events.length
      appendFileSync(accessLog, decided('same'))
      await until('the decision', () => events.length === before + 1)
    }
    const told = events.slice(1).map(({ data }) => data as { edge: number; session: string })
    assert.deepEqual(
      told.map(({ edge, session }) => [edge, session]),
      [
        [2, 'same'],
        [1, 'same'],
      ],
    )
  })

  test('has edges that are written as PORT=FILE, and one sentence for what is not', () => {
    assert.deepEqual(readEdges('8080=/log/1 8081=/log/2'), [
      { port: 8080, accessLog: '/log/1' },
      { port: 8081, accessLog: '/log/2' },
    ])
    for (const text of ['8080', '8080=log', '=/log', 'edge=/log'])
      assert.throws(
        () => readEdges(text),
        /^Error: EDGES says ".*": write PORT=\/path\/of\/access\.log for each edge\.$/,
      )
  })
})
