import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gateHeaders } from '../support/ask-gate.ts'
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

describe('the headers that nginx sends, directly, DEFAULT_ACTION=allow:', () => {
  let clients = 0
  const site = forSuite((scope) => startHostileSite(scope))

  const send = (name: string, lines: (token: string) => string[]) => (token: string) => {
    const all = gateHeaders({ address: addressOf(clients++), uri: `/live/x.ts?${token}` })
    const others = all.filter((line) => !line.startsWith(`${name}:`))
    const head = ['GET /auth HTTP/1.1', 'Host: alta-auth', ...others, ...lines(token), 'Connection: close']
    return sendBytes({ port: site.gate.port }, `${head.join('\r\n')}\r\n\r\n`)
  }

  const headers: [
    name: string,
    value: (token: string) => string,
    pad: (token: string) => (n: number) => string,
  ][] = [
    ['X-Original-Ip', () => '192.0.2.1', () => fill('192.0.2.')],
    ['X-Original-Origin', () => 'http://h', () => fill('http://')],
    ['X-Original-Path', () => '/live/x.ts|', () => fill('/live/', '|')],
    ['X-Original-Uri', (token) => `/live/x.ts?${token}`, (token) => fill(`/live/x.ts?${token}&a=`)],
    ['X-Original-Ua', () => 'VLC', () => fill('VLC/')],
    ['X-Original-Playback-Id', () => '0F3C', () => fill('0F3C')],
    ['X-Original-Request-Id', () => '0f3c', () => fill('0f3c')],
  ]
  /** Requests that the backend decides although their shape is odd. */
  const judged: Readonly<Record<string, readonly Shape[]>> = {
    'X-Original-Ip': [],
    'X-Original-Origin': [],
    // A path with a bar, a comma and a space. It is no file's, and no other request has its verdict.
    'X-Original-Path': ['doubled', '1 KB'],
    'X-Original-Uri': ['1 KB', '8 KB'],
    'X-Original-Ua': ['missing', 'empty', 'doubled', '1 KB'],
    'X-Original-Playback-Id': ['missing', 'empty', 'doubled'],
    // It is only for the log. One of another shape is left out.
    'X-Original-Request-Id': shapes,
  }
  for (const [name, value, pad] of headers) {
    for (const shape of shapes) {
      const fate = judged[name]?.includes(shape) === true ? 'judged' : 'refused'
      test(`${name} ${shape}: ${fate}`, () =>
        assertFate(
          site,
          fate,
          send(name, (token) => shaped(name, value(token), shape, pad(token))),
        ))
    }
  }

  test('each of them 64 KB, and a hundred more: refused', () =>
    assertFate(
      site,
      'refused',
      send('none', (token) => [
        ...headers.flatMap(([name, value, pad]) => shaped(name, value(token), '64 KB', pad(token))),
        ...Array.from({ length: 100 }, (_, n) => `X-Other-${n}: ${'a'.repeat(KB)}`),
      ]),
    ))

  test('a header that nginx does not send changes nothing', () =>
    assertFate(
      site,
      'judged',
      send('none', () => [
        'X-Real-Ip: 1.2.3.4',
        'X-Original-Ip2: x',
        'x_original_ip: 1.2.3.4',
        `Cookie: ${GOOD}`,
      ]),
    ))

  test('not one of them was decided by the default action', () => {
    assert.doesNotMatch(site.gate.logText(), /"source":"default"|internal error|unavailable/)
  })
})

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
    for (const shape of shapes) {
      test(`${name} ${shape}: ${row[shape]}`, () => {
        const lines = shaped(name, 'value', shape, fill('v'))
        return assertFate(site, row[shape], send(name === 'Host' && lines.length === 0 ? [''] : lines))
      })
    }
  }

  for (const [size, inPath, inQuery] of [
    [1, 'judged', 'judged'],
    [8, 'refused', 'judged'],
    [16, 'refused', 'refused'],
    [60, 'refused', 'refused'],
  ] as const) {
    test(`a path of ${size} KB: ${inPath}`, () =>
      assertFate(
        site,
        inPath,
        send([], (token) => `${fill('/')(size * KB)}?${token}`),
      ))
    test(`a query of ${size} KB: ${inQuery}`, () =>
      assertFate(
        site,
        inQuery,
        send([], (token) => `/x.ts?${fill(`${token}&`)(size * KB)}`),
      ))
  }

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
