import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addressOf,
  BAD,
  GOOD,
  hasGood,
  isConservative,
  type Received,
  sendBytes,
  startHostileSite,
} from '../support/hostile-site.ts'
import { forSuite } from '../support/scope.ts'
import { questionsDuring, type Site } from '../support/site.ts'

const KB = 1_024
const sizes = [1, 8, 16, 60, 64] as const
type Size = `${(typeof sizes)[number]} KB`
type Shape = 'missing' | 'empty' | 'doubled' | Size
const shapes: readonly Shape[] = [
  'missing',
  'empty',
  'doubled',
  ...sizes.map((size) => `${size} KB` as const),
]

/**
 * What happens to a request: the backend decides (`judged`), the gate refuses it before that (`refused`), or
 * `nginx` itself answers 400.
 */
type Fate = 'judged' | 'refused' | 'nginx'

/** The lines of one header in this shape. `pad` makes its value `bytes` long. */
function shaped(name: string, value: string, shape: Shape, pad: (bytes: number) => string): string[] {
  if (shape === 'missing') return []
  if (shape === 'empty') return [`${name}:`]
  if (shape === 'doubled') return [`${name}: ${value}`, `${name}: ${value}`]
  return [`${name}: ${pad(Number.parseInt(shape, 10) * KB)}`]
}

const fill =
  (front: string, end = '') =>
  (bytes: number) =>
    `${front}${'a'.repeat(bytes - front.length - end.length)}${end}`

/**
 * Both verdicts of the backend are unchanged, or the backend is not asked. The default action never decides.
 */
async function assertFate(site: Site, fate: Fate, send: (token: string) => Promise<Received>): Promise<void> {
  for (const token of [BAD, GOOD]) {
    let received: Received | undefined
    const asked = await questionsDuring(site.backend, async () => {
      received = await send(token)
    })
    const { statuses, isLetIn, isHung, text } = received ?? assert.fail()
    const what = `${token}: ${text.slice(0, 400)}`
    assert.ok(!isHung, what)
    assert.equal(asked.length, fate === 'judged' ? 1 : 0, `${asked.length} questions, ${what}`)
    assert.ok(
      asked.every((one) => isConservative(one) && hasGood(one.target) === (token === GOOD)),
      what,
    )
    const expected = fate === 'nginx' ? 400 : fate === 'judged' && token === GOOD ? 200 : 403
    assert.deepEqual(statuses, [expected], what)
    assert.equal(isLetIn, expected === 200, what)
  }
}

describe("a client's headers, through nginx with buffers of 64 KB, DEFAULT_ACTION=allow and on-failure-allow:", () => {
  let clients = 0
  const site = forSuite((scope) => startHostileSite(scope))

  const send =
    (lines: string[], target = (token: string) => `/live/x.ts?${token}`) =>
    (token: string) => {
      const hasHost = lines.some((line) => line.startsWith('Host:')) || lines.includes('')
      const head = [
        `GET ${target(token)} HTTP/1.1`,
        ...(hasHost ? [] : ['Host: h']),
        ...lines.filter((line) => line !== ''),
        'Connection: close',
      ]
      return sendBytes({ port: site.nginx.port, from: addressOf(clients++) }, `${head.join('\r\n')}\r\n\r\n`)
    }

  const fates: Readonly<Record<string, Readonly<Record<Shape, Fate>>>> = {
    'User-Agent': row('judged judged judged judged refused refused refused nginx'),
    'X-Playback-Session-Id': row('judged judged judged refused refused refused refused nginx'),
    Host: row('nginx nginx nginx refused refused refused refused nginx'),
    // The shape of what is not passed on does not matter.
    Cookie: row('judged judged judged judged judged judged judged nginx'),
    'X-Original-Ip': row('judged judged judged judged judged judged judged nginx'),
    'X-Original-Path': row('judged judged judged judged judged judged judged nginx'),
    'X-Original-Uri': row('judged judged judged judged judged judged judged nginx'),
    'X-Forwarded-For': row('judged judged judged judged judged judged judged nginx'),
    Authorization: row('judged judged nginx judged judged judged judged nginx'),
  }
  for (const [name, row] of Object.entries(fates)) {
    test(`${name} in each shape is judged or refused`, async () => {
      for (const shape of shapes) {
        const lines = shaped(name, 'value', shape, fill('v'))
        await assertFate(site, row[shape], send(name === 'Host' && lines.length === 0 ? [''] : lines))
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
      const path = fill('/')(size * KB)
      await assertFate(
        site,
        inPath,
        send([], (token) => `${path}?${token}`),
      )
      await assertFate(
        site,
        inQuery,
        send([], (token) => `/x.ts?${fill(`${token}&`)(size * KB)}`),
      )
    }
  })

  test('path, User-Agent and playback id of 60 KB each: refused, more than the gate reads', () => {
    const lines = ['User-Agent', 'X-Playback-Session-Id'].map((name) => `${name}: ${fill('v')(60 * KB)}`)
    return assertFate(
      site,
      'refused',
      send(lines, (token) => `${fill('/')(60 * KB)}?${token}`),
    )
  })

  test('the request line alone larger than a buffer: nginx answers 414', async () => {
    const { statuses, isLetIn } = await send([], (token) => `${fill('/')(65 * KB)}?${token}`)(GOOD)
    assert.deepEqual([statuses, isLetIn], [[414], false])
  })

  test('not one of them was decided by a default action', async () => {
    assert.doesNotMatch(site.gate.logText(), /"source":"default"|internal error|unavailable/)
    assert.doesNotMatch(site.nginx.accessLog().join('\n'), /gate-unavailable|source=default/)
  })

  function row(text: string): Readonly<Record<Shape, Fate>> {
    const words = text.split(' ')
    return Object.fromEntries(shapes.map((shape, n) => [shape, words[n]])) as Record<Shape, Fate>
  }
})
