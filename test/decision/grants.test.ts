import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { startBackend, status } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { type GetAnswer, getVerdict } from '../support/http-get.ts'
import { type RawBackend, startRawBackend } from '../support/raw-backend.ts'
import { type Scope, suiteScope } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { createViewer } from '../support/viewer.ts'
import { readViewerLog } from '../support/viewer-log.ts'
import { wordsOf } from '../support/words.ts'

const BAD_DURATION = 'X-AuthDuration is no positive number of seconds; ALLOW_TTL counts instead'
const HOUR = 3_600

/** A backend that allows, with these header lines. */
function startGranting(scope: Scope, lines: () => readonly string[]): Promise<RawBackend> {
  return startRawBackend(scope, (socket) => {
    const head = ['HTTP/1.1 200 OK', 'Content-Length: 0', ...lines(), '\r\n'].join('\r\n')
    socket.write(head, 'latin1')
  })
}

/** What the gate says to nginx about a new viewer. Even a day fits into what nginx may repeat. */
async function startAsking(scope: Scope, environment: Readonly<Record<string, string>> = {}) {
  let lines: readonly string[] = []
  const backend = await startGranting(scope, () => lines)
  const gate = await startGate(scope, {
    BACKEND_URL: backend.url,
    ALLOW_TTL: '100s',
    NGINX_TTL: '10d',
    SESSION_IDLE: '20d',
    ...environment,
  })
  return {
    async ask(...sent: readonly string[]): Promise<GetAnswer> {
      lines = sent
      return await getVerdict({ port: gate.port }, { userAgent: newViewer() })
    },
    warnings: () => gate.log.filter(({ message }) => message === BAD_DURATION),
  }
}

describe('X-AuthDuration, as a backend may write it', () => {
  const scope = suiteScope()
  let asking: Awaited<ReturnType<typeof startAsking>>
  before(async () => {
    asking = await startAsking(scope)
  })

  const rows: readonly (readonly [seconds: number, ...lines: string[]])[] = [
    [HOUR, 'X-AuthDuration: 3600'],
    [HOUR, 'x-authduration:3600'],
    [HOUR, 'X-AuthDuration: \t 3600 \t '],
    [HOUR, 'X-AuthDuration: 0003600'],
    [HOUR, 'X-AuthDuration: 3600', 'X-AuthDuration: 60'],
    [100],
    [100, 'X-AuthDuration: 0'],
    [100, 'X-AuthDuration: -3600'],
    [100, 'X-AuthDuration: +3600'],
    [100, 'X-AuthDuration: 3600.5'],
    [100, 'X-AuthDuration: 0.5'],
    [100, 'X-AuthDuration: 3600, 3600'],
    [100, 'X-AuthDuration: 3600s'],
    [100, 'X-AuthDuration: "3600"'],
    [100, 'X-AuthDuration: \xb2'],
    [100, 'X-AuthDuration:'],
    ...wordsOf('00 garbage 1e3 0x10 NaN Infinity').map((sent) => [100, `X-AuthDuration: ${sent}`] as const),
  ]
  for (const [seconds, ...lines] of rows) {
    test(`${lines.join(', ') || 'none'}: ${seconds} s, 10 % more or less`, async () => {
      const { status, headers } = await asking.ask(...lines)
      assert.equal(status, 200)
      const told = Number(headers['x-accel-expires'])
      assert.ok(told >= 0.9 * seconds - 3 && told <= 1.1 * seconds, `${told} s`)
    })
  }

  for (const sent of ['604800', '9'.repeat(400)]) {
    test(`${sent.slice(0, 6)}, ${sent.length} digits: a day, whatever chance says`, async () => {
      const { headers } = await asking.ask(`X-AuthDuration: ${sent}`)
      assert.equal(headers['x-accel-expires'], String(24 * HOUR - 1))
    })
  }

  test('the 24 hours are exactly that: chance makes them shorter, never longer', async () => {
    for (let again = 0; again < 20; again++) {
      const told = Number((await asking.ask('X-AuthDuration: 86400')).headers['x-accel-expires'])
      assert.ok(told >= 0.9 * 24 * HOUR - 3 && told < 24 * HOUR, `${told} s`)
    }
  })
})

describe('an X-AuthDuration that means nothing', () => {
  test('is logged once for each backend, however many viewers and values come', async (t) => {
    const backends = [await startBackend(t), await startBackend(t)] as const
    const [one, two] = backends
    for (const backend of backends) backend.answer = status(200, { 'X-AuthDuration': 'soon' })
    const { ask, warnings } = await startAsking(t, {
      BACKEND_URL: `${one.url} ${two.url}`,
      UNAVAILABLE_STATUS: '503',
    })
    for (let again = 0; again < 3; again++) await ask()
    one.answer = status(200, { 'X-AuthDuration': '0' })
    await ask()
    one.answer = status(503)
    for (let again = 0; again < 3; again++) await ask()
    assert.deepEqual(
      warnings().map(({ level, backend, sent }) => [level, backend, sent]),
      [
        ['warn', `${one.url}/`, 'soon'],
        ['warn', `${two.url}/`, 'soon'],
      ],
    )
  })

  test('is not logged where nobody reads it: with ALLOW_TTL=session', async (t) => {
    const { ask, warnings } = await startAsking(t, { ALLOW_TTL: 'session' })
    assert.equal((await ask('X-AuthDuration: soon')).headers['x-accel-expires'], String(10 * 24 * HOUR - 1))
    assert.deepEqual(warnings(), [])
  })
})

describe('the user whom a backend names', () => {
  const rows: readonly (readonly [what: string, lines: readonly string[], user: string])[] = [
    ['X-UserId', ['X-UserId: user-7'], 'user-7'],
    ['X-Session-Name', ['X-Session-Name: user-7'], 'user-7'],
    ['both: X-UserId counts', ['X-Session-Name: one', 'X-UserId: two'], 'two'],
    ['two: the first counts', ['X-UserId: one', 'X-UserId: two'], 'one'],
    ['nobody', [], ''],
    ['an empty name', ['X-UserId:'], ''],
    ['128 characters', [`X-UserId: ${'u'.repeat(128)}`], 'u'.repeat(128)],
    ['129 characters', [`X-UserId: ${'u'.repeat(129)}`], 'u'.repeat(128)],
    ['8,000 characters', [`X-UserId: ${'u'.repeat(8_000)}`], 'u'.repeat(128)],
    ['100 letters of two bytes', [`X-UserId: ${'\xd0\xb6'.repeat(100)}`], '_'.repeat(128)],
    [
      'every printable byte',
      ['X-UserId: !#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~"'],
      "!#$%&'()*+,-./:;<=>?@[\\x5C]^_`{|}~\\x22",
    ],
    ['spaces and tabs', ['X-UserId: anna\tverdict=deny user=root'], 'anna_verdict=deny_user=root'],
    ['bytes above ASCII', ['X-UserId: \x80\xe9\xff'], '___'],
  ]

  test('reaches nginx and its log as at most 128 printable bytes, on the opener and on what rides', async (t) => {
    let lines: readonly string[] = []
    const backend = await startGranting(t, () => lines)
    const { nginx } = await startSite(t, {
      environment: { BACKEND_URL: backend.url },
      nginx: {
        files: { '/live/one/index.m3u8': '#EXTM3U\n', '/live/one/0.ts': 'G' },
      },
    })
    for (const [what, sent, user] of rows) {
      lines = sent
      const viewer = createViewer(t, nginx)
      assert.equal(await viewer.get('/live/one/index.m3u8?token=1'), 200, what)
      assert.equal(await viewer.get('/live/one/0.ts'), 200, what)
      await readViewerLog(nginx, viewer.userAgent)
      const users = nginx
        .accessLog()
        .filter((line) => line.endsWith(`"${viewer.userAgent}"`))
        .map((line) => / user=(.*) request=/.exec(line)?.[1])
      assert.deepEqual(users, [user, user], what)
    }
  })
})
