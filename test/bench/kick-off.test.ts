import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { crowds } from '../../bench/crowds.ts'
import { brokenBounds, refusals } from '../../bench/judge-kick-off.ts'
import type { KickOff } from '../../bench/run-kick-off.ts'
import { type Outcome, sendInTime } from '../../bench/send-in-time.ts'

const outcomes = (took: number, status = 200, reason = ''): Outcome[] =>
  Array.from({ length: 100 }, () => ({ took, status, reason }))

const good: KickOff = {
  newcomers: outcomes(100),
  before: outcomes(1),
  meanwhile: outcomes(15),
  cpu: { nginx: 1, gate: 1, generator: 1 },
  lateness: [1],
}

describe('the bounds of a kick-off', () => {
  test('hold when all are let in at once and nobody else waits', () => {
    assert.deepEqual(brokenBounds(good, good), [])
  })

  test('are broken by one newcomer who is not let in', () => {
    const refused = { took: 1, status: 403, reason: 'overload' }
    const kickOff = { ...good, newcomers: [...good.newcomers, refused] }
    assert.deepEqual(brokenBounds(kickOff, good), ['1 of 101 newcomers were not let in'])
    assert.deepEqual([...refusals(kickOff)], [['newcomers got 403 overload', 1]])
  })

  test('are broken by newcomers who wait for longer than the deadline', () => {
    assert.equal(brokenBounds({ ...good, newcomers: outcomes(2_001) }, good).length, 1)
  })

  test('are broken by playing viewers who wait, unless the bare process lets them wait half as long', () => {
    const slow = { ...good, meanwhile: outcomes(40) }
    assert.equal(brokenBounds(slow, good).length, 1)
    assert.deepEqual(brokenBounds(slow, { ...good, meanwhile: outcomes(20) }), [])
  })
})

test('each crowd has as many viewers and addresses as it says', () => {
  const count = (read: (viewer: ReturnType<(typeof crowds)[0]['viewer']>) => string): number[] =>
    crowds.map(({ viewer }) => new Set(Array.from({ length: 20_000 }, (_, at) => read(viewer(at)))).size)
  assert.deepEqual(
    count(({ address, userAgent }) => `${address} ${userAgent}`),
    [20_000, 20_000],
  )
  assert.deepEqual(
    count(({ address }) => address),
    [20_000, 200],
  )
})

test('a request is sent in its time while others wait for their answers', async (t) => {
  const held: (() => void)[] = []
  const server = createServer((request, response) => {
    const answer = (): void => void response.writeHead(403, { 'X-Auth-Reason': 'why' }).end('no')
    if (request.url === '/held') held.push(answer)
    else {
      for (const one of held.splice(0)) one()
      response.end('yes')
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const wire = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
  const { port } = server.address() as AddressInfo
  const { outcomes } = await sendInTime(port, [
    { at: 0, wire: wire('/held') },
    { at: 20, wire: wire('/') },
  ])
  assert.deepEqual(
    outcomes.map(({ status, reason }) => `${status} ${reason}`),
    ['403 why', '200 '],
  )
  assert.ok((outcomes[0]?.took ?? 0) >= 19)
})
