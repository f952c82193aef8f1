import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressOf, BAD, GOOD, hasGood, isConservative } from '../support/hostile-request.ts'
import { startHostileSite } from '../support/hostile-site.ts'
import { forSuite } from '../support/scope.ts'
import { type Received, sendBytes } from '../support/send-bytes.ts'
import { questionsDuring } from '../support/site.ts'

const KB = 1_024
const shapes = ['missing', 'empty', 'doubled', '1 KB', '8 KB', '16 KB', '60 KB', '64 KB']

/**
 * What happens to a request: the backend decides (`judged`), the gate refuses it before that (`refused`), or
 * `nginx` itself answers 400.
 */
type Fate = 'judged' | 'refused' | 'nginx'

/** So many kilobytes that begin with `front`. */
const fill = (front: string, kilobytes: number): string => front.padEnd(kilobytes * KB, 'a')

/** The lines of one header in this shape. */
function shaped(name: string, shape: string): string[] {
  if (shape === 'missing') return []
  if (shape === 'empty') return [`${name}:`]
  if (shape === 'doubled') return [`${name}: value`, `${name}: value`]
  return [`${name}: ${fill('v', Number.parseInt(shape, 10))}`]
}

describe("a client's headers, through nginx with buffers of 64 KB, DEFAULT_ACTION=allow and on-failure-allow:", () => {
  let clients = 0
  const site = forSuite((scope) => startHostileSite(scope))

  const send = (target: string, lines: readonly string[]): Promise<Received> => {
    const head = [`GET ${target} HTTP/1.1`, ...lines, 'Connection: close', '', ''].join('\r\n')
    return sendBytes({ port: site.nginx.port, from: addressOf(clients++) }, head)
  }
  /**
   * Both verdicts of the backend are unchanged, or the backend is not asked. The default action never decides.
   */
  const assertFate = async (
    fate: Fate,
    lines: readonly string[],
    target = (token: string) => `/live/x.ts?${token}`,
  ): Promise<void> => {
    for (const token of [BAD, GOOD]) {
      let received: Received | undefined
      const asked = await questionsDuring(site.backend, async () => {
        received = await send(target(token), lines)
      })
      const { statuses, isLetIn, isHung, text } = received ?? assert.fail()
      const what = `${lines.join().slice(0, 60)} ${token}: ${text.slice(0, 400)}`
      assert.ok(!isHung, what)
      assert.equal(asked.length, fate === 'judged' ? 1 : 0, `${asked.length} questions, ${what}`)
      for (const one of asked)
        assert.deepEqual([isConservative(one), hasGood(one.target)], [true, token === GOOD], what)
      const expected = fate === 'nginx' ? 400 : fate === 'judged' && token === GOOD ? 200 : 403
      assert.deepEqual(statuses, [expected], what)
      assert.equal(isLetIn, expected === 200, what)
    }
  }

  /** A fate for each shape. */
  const fates: Readonly<Record<string, string>> = {
    'User-Agent': 'judged judged judged judged refused refused refused nginx',
    'X-Playback-Session-Id': 'judged judged judged refused refused refused refused nginx',
    Host: 'nginx nginx nginx refused refused refused refused nginx',
    // The shape of what is not passed on does not matter.
    Cookie: 'judged judged judged judged judged judged judged nginx',
    'X-Original-Ip': 'judged judged judged judged judged judged judged nginx',
    'X-Original-Path': 'judged judged judged judged judged judged judged nginx',
    'X-Original-Uri': 'judged judged judged judged judged judged judged nginx',
    'X-Forwarded-For': 'judged judged judged judged judged judged judged nginx',
    Authorization: 'judged judged nginx judged judged judged judged nginx',
  }
  for (const [name, row] of Object.entries(fates)) {
    test(`${name} in each shape is judged or refused`, async () => {
      for (const [n, fate] of row.split(' ').entries()) {
        const lines = shaped(name, shapes[n] ?? '')
        await assertFate(fate as Fate, name === 'Host' ? lines : ['Host: h', ...lines])
      }
    })
  }

  test('a path and a query of 1 to 60 KB are judged or refused', async () => {
    for (const [size, inPath, inQuery] of [
      [1, 'judged', 'judged'],
      [8, 'refused', 'judged'],
      [16, 'refused', 'refused'],
      [60, 'refused', 'refused'],
    ] as const) {
      await assertFate(inPath, ['Host: h'], (token) => `${fill('/', size)}?${token}`)
      await assertFate(inQuery, ['Host: h'], (token) => `/x.ts?${fill(`${token}&`, size)}`)
    }
  })

  test('path, User-Agent and playback id of 60 KB each: refused, more than the gate reads', () => {
    const lines = ['User-Agent', 'X-Playback-Session-Id'].map((name) => `${name}: ${fill('v', 60)}`)
    return assertFate('refused', ['Host: h', ...lines], (token) => `${fill('/', 60)}?${token}`)
  })

  test('the request line alone larger than a buffer: nginx answers 414', async () => {
    const { statuses, isLetIn } = await send(`${fill('/', 65)}?${GOOD}`, ['Host: h'])
    assert.deepEqual([statuses, isLetIn], [[414], false])
  })

  test('not one of them was decided by a default action', () => {
    assert.doesNotMatch(site.gate.logText(), /"source":"default"|internal error|unavailable/)
    assert.doesNotMatch(site.nginx.accessLog().join('\n'), /gate-unavailable|source=default/)
  })
})
