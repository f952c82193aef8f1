import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { showExplanation } from '../../src/cli/show-explanation.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGate } from '../support/gate.ts'
import { get } from '../support/http-get.ts'
import { mainFile } from '../support/main-process.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const SECRET = 'abc-secret-123'
const OWN = 'own-secret-456'
const playlist = `http://live.example.com/live/news/index.m3u8?token=${SECRET}&quality=high`
const ip = '192.0.2.1'
const viewer = ['--ip', ip, '--ua', 'test']

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** `alta-auth explain …` as an operator runs it. */
function runExplain(scope: Scope, parameters: readonly string[], environment: Environment): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd: makeTemporaryFolder(scope), env: { PATH: process.env['PATH'], ...environment } }
    execFile(process.execPath, [mainFile, 'explain', ...parameters], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

interface Place {
  readonly backend: Backend
  readonly port: number
  readonly environment: Environment
  /** All that the gate remembers and has counted. */
  state(): Promise<unknown>
  /** What `alta-auth explain` prints, without a process for it. */
  explain(url: string, ip: string, ua: string): Promise<string>
}

async function startPlace(scope: Scope, more: Environment = {}): Promise<Place> {
  const backend = await startBackend(scope)
  const environment = {
    BACKEND_URL: `http://boss:pass-789@127.0.0.1:${backend.port}/auth?own=${OWN}`,
    ...more,
  }
  const gate = await startGate(scope, { ADMIN_LISTEN: '127.0.0.1:0', ...environment })
  const { adminPort: port } = gate
  return {
    backend,
    port: gate.port,
    environment: { ...environment, ADMIN_LISTEN: `127.0.0.1:${port}` },
    async state() {
      const readiness = JSON.parse((await get({ port }, '/readyz')).body)
      const sessions = JSON.parse((await get({ port }, '/sessions')).body)
      const text = (await get({ port }, '/metrics')).body
      const counted = text.split('\n').filter((line) => /^alta_auth_/.test(line))
      return { readiness, sessions, counted, log: gate.log.length }
    },
    async explain(url, ip, ua) {
      const { status, body } = await get({ port }, `/explain?${new URLSearchParams({ url, ip, ua })}`)
      assert.equal(status, 200, body)
      return showExplanation(JSON.parse(body) as Explanation)
    },
  }
}

const playing = { uri: `/live/news/index.m3u8?token=${SECRET}&quality=high` }

describe('alta-auth explain', () => {
  const place = forSuite((scope) => startPlace(scope))

  test('shows the way of an unknown request from top to bottom, without secrets, and changes nothing', async (t) => {
    place.backend.answer = status(200, { 'X-UserId': 'anna', 'Set-Cookie': `login=${SECRET}` })
    const before = await place.state()
    const { code, stdout, stderr } = await runExplain(t, [playlist, ...viewer], place.environment)
    assert.deepEqual([code, stderr], [0, ''])
    const lines = [
      /^What nginx tells the gate$/m,
      /^ {2}address +192\.0\.2\.1$/m,
      /^ {2}path +\/live\/news\/index\.m3u8$/m,
      /^ {2}query +token=\*\*\*\(14\)&quality=\*\*\*\(4\)$/m,
      /^ {2}User-Agent +test$/m,
      /^ {2}credential +yes$/m,
      /^ {2}an allow opens +\/live\/news\/ and everything below it$/m,
      /^ {2}no session of this viewer covers it/m,
      /^ {2}GET http:\/\/127\.0\.0\.1:\d+\/auth\?token=\*\*\*\(14\)&quality=\*\*\*\(4\)&own=\*\*\*\(14\)$/m,
      /^ {6}X-Real-Path: \/live\/news\/index\.m3u8$/m,
      /^ {6}Authorization: \*\*\*$/m,
      /^ {2}200 OK after \d+ ms$/m,
      /^ {6}x-userid: anna$/m,
      /^ {2}verdict +allow$/m,
      /^ {2}reason +backend-200: the backend allows it$/m,
      /^ {2}user +anna$/m,
      /^ {2}nginx +serves the file; with its verdict cache it repeats this for up to 10 s$/m,
    ]
    let at = 0
    for (const line of lines) {
      const found = line.exec(stdout)
      assert.ok(found !== null, `${line} in\n${stdout}`)
      assert.ok(found.index >= at, `${line} in its place in\n${stdout}`)
      at = found.index
    }
    for (const secret of [SECRET, OWN, 'pass-789', 'Ym9zcz']) assert.ok(!stdout.includes(secret), secret)
    assert.deepEqual(await place.state(), before)
  })

  test('tells of the session that answers, with the rest of its address, and asks nobody', async () => {
    place.backend.answer = status(200, { 'X-UserId': 'anna' })
    const { sessionId } = await askGate(place.port, playing)
    const asked = place.backend.asked.length
    const before = await place.state()
    const own = await place.explain(playlist, ip, 'test')
    assert.match(own, /this very request has opened a session/)
    assert.match(own, /reason +remembered: /)
    const segment = 'http://live.example.com/live/news/1.ts'
    const riding = await place.explain(segment, ip, 'test')
    assert.match(
      riding,
      new RegExp(`it rides on a session[\\s\\S]*${sessionId}: /live/news/index.m3u8, user anna`),
    )
    assert.match(riding, /source +session[\s\S]*reason +riding: /)
    assert.equal(place.backend.asked.length, asked)

    place.backend.answer = status(403)
    const other = await place.explain(segment, ip, 'other')
    assert.match(other, new RegExp(`other sessions of this address:[\\s\\S]*${sessionId}[\\s\\S]*"test"`))
    assert.match(other, /credential +no: none of TOKEN_PARAM/)
    assert.match(other, /verdict +deny[\s\S]*reason +backend-403: /)
    assert.deepEqual(await place.state(), before)
  })

  test('a deny that is remembered is told, and where nginx would refuse unread, too', async (t) => {
    place.backend.answer = status(403)
    await askGate(place.port, { uri: '/live/x.m3u8?token=bad', userAgent: 'guesser' })
    const url = 'http://live.example.com/live/x.m3u8?token=bad'
    const stdout = await place.explain(url, ip, 'guesser')
    assert.match(
      stdout,
      /a deny of this very request is remembered \(backend, backend-403\), for [\d.]+ s more/,
    )
    assert.match(stdout, /nginx +answers 403 Forbidden/)
    const refused = await place.explain('http://live.example.com/live/%0aa.ts', ip, 'guesser')
    assert.match(refused, /reason +bad-request: refused before anybody is asked: control bytes in the path/)
    const odd = await runExplain(t, ['http://live.example.com/%zz'], place.environment)
    assert.deepEqual(odd, {
      code: 1,
      stdout: '',
      stderr: 'alta-auth: nginx answers 400: bad % in the path\n',
    })
  })

  test('a session that is due is asked about again, and goes on whatever comes of it', async (t) => {
    const due = await startPlace(t, { ALLOW_TTL: '1ms' })
    await askGate(due.port, playing)
    due.backend.answer = status(403)
    const before = await due.state()
    const stdout = await due.explain(playlist, ip, 'test')
    assert.match(stdout, /The backend is asked: its session is due.*and this answer ends it/)
    assert.match(stdout, /403 Forbidden after/)
    assert.match(stdout, /verdict +allow/)
    assert.deepEqual(await due.state(), before)
  })

  test('an open breaker is told, and the probe that it waits for is not used up', async (t) => {
    const broken = await startPlace(t, { BACKEND_TIMEOUT: '100ms' })
    await broken.backend.stop()
    for (let at = 0; at < 12; at++)
      await askGate(broken.port, { uri: `/live/${at}.m3u8?token=${at}`, address: `192.0.${at}.1` })
    await until('the breaker to open', async () =>
      JSON.stringify(await broken.state()).includes('"breaker":"open"'),
    )
    const stdout = await broken.explain(playlist, ip, 'test')
    // Whether its next probe is due by now is a matter of time.
    assert.match(
      stdout,
      /no answer \((?:breaker: not asked: too many questions failed just now|refused: connect)/,
    )
    assert.match(stdout, /source +default/)
    assert.match(JSON.stringify(await broken.state()), /"breaker":"open"/)
  })

  test('an address that is not the one that nginx sees is hinted at', async () => {
    const path = '/live/behind/index.m3u8'
    place.backend.answer = status(403)
    await askGate(place.port, { uri: `${path}?token=x`, address: '10.0.0.9', userAgent: 'stb' })
    place.backend.answer = status(200)
    const told = (ip: string, ua: string, more = '') =>
      place.explain(`http://live.example.com${path}${more}?token=x`, ip, ua)
    assert.match(
      await told('192.0.2.5', 'stb'),
      /verdict +allow[\s\S]*\nHint\n {2}.*denied lately.*to a viewer at 10\.0\.0\.9.*"Behind another proxy"\n$/,
    )
    assert.doesNotMatch(await told('192.0.2.5', 'another player'), /Hint/)
    assert.doesNotMatch(await told('192.0.2.5', 'stb', '.other'), /Hint/)
    assert.match(await told('10.0.0.9', 'other'), /\nHint\n {2}10\.0\.0\.9 is a private address: .*proxy/)
    assert.match(
      await told('::1', 'other'),
      /\nHint\n {2}::1 is this machine itself: give the viewer's address/,
    )
  })

  test('--json is the explanation for machines', async (t) => {
    place.backend.answer = status(200)
    const { stdout } = await runExplain(t, [playlist, '--json', '--ua', 'machine'], place.environment)
    const explanation = JSON.parse(stdout) as Explanation
    assert.deepEqual(Object.keys(explanation), [
      'subrequest',
      'identity',
      'known',
      'questions',
      'occasion',
      'decision',
      'nginx',
      'hint',
    ])
    assert.equal(explanation.questions[0]?.status, 200)
    assert.equal(explanation.decision.verdict, 'allow')
  })

  test('--direct asks the backend itself, and needs no gate', async (t) => {
    place.backend.answer = status(302, {
      Location: `http://boss:${SECRET}@127.0.0.1/login?back=${SECRET}#at=${SECRET}`,
    })
    const environment = { BACKEND_URL: `${place.backend.url}/auth`, ADMIN_LISTEN: 'off' }
    const { code, stdout } = await runExplain(t, [playlist, '--direct', ...viewer], environment)
    assert.equal(code, 0)
    assert.match(stdout, /302 Found after/)
    assert.match(stdout, /location: http:\/\/\*\*\*@127\.0\.0\.1\/login\?back=\*\*\*\(14\)$/m)
    assert.match(stdout, /reason +backend-302: the backend answers 302, and only 200 allows/)
  })

  test('what a backend repeats of a token or a password is not shown, nor what may be one', async (t) => {
    const said = `/auth?token=${SECRET}&${OWN}`
    place.backend.answer = status(403, {
      'Content-Location': said,
      Link: `<${said}>; rel=canonical`,
      Refresh: `0; url=${said}`,
      'X-Debug': SECRET,
      Server: 'Apache',
    })
    const environment = { BACKEND_URL: `${place.backend.url}/auth?${OWN}` }
    const url = `http://live.example.com/live/1.ts?${SECRET}&token=${SECRET}`
    for (const more of [[], ['--json']]) {
      const { stdout } = await runExplain(t, [url, '--direct', ...more], environment)
      assert.match(stdout, /Apache/)
      for (const secret of [SECRET, OWN]) assert.ok(!stdout.includes(secret), stdout)
    }
  })

  test('no byte of a backend, or of whoever answers in the place of the gate, moves the cursor', async (t) => {
    place.backend.answer = status(200, { Server: 'c\x9b2Jd' })
    const environment = { BACKEND_URL: `${place.backend.url}/auth` }
    const { stdout } = await runExplain(t, [playlist, '--direct'], environment)
    assert.match(stdout, /server: c\\u009b2Jd/)
    place.backend.answer = (_asked, response) =>
      void response.writeHead(500).end(JSON.stringify({ error: '\x1b]0;mine\x07' }))
    const stranger = { ...environment, ADMIN_LISTEN: `127.0.0.1:${place.backend.port}` }
    const { stderr } = await runExplain(t, [playlist], stranger)
    assert.equal(stderr, 'alta-auth: \\u001b]0;mine\\u0007\n')
    for (const body of ['{}', 'null']) {
      place.backend.answer = (_asked, response) => void response.end(body)
      const other = await runExplain(t, [playlist], stranger)
      assert.match(other.stderr, /something else than alta-auth answers \(status 200\)/, body)
    }
  })

  test('several backends are all shown', async (t) => {
    const dead = await findFreePort()
    place.backend.answer = status(200)
    const environment = { BACKEND_URL: `http://127.0.0.1:${dead}/auth ${place.backend.url}/auth` }
    const { stdout } = await runExplain(t, [playlist, '--direct'], environment)
    assert.match(
      stdout,
      new RegExp(
        `127.0.0.1:${dead}[\\s\\S]*no answer \\(refused: [\\s\\S]*:${place.backend.port}[\\s\\S]*200 OK`,
      ),
    )
  })

  test('without a gate, with a wrong token, or with something else in its place it says what to do', async (t) => {
    const free = await findFreePort()
    const told = async (environment: Environment): Promise<string> => {
      const { code, stdout, stderr } = await runExplain(t, [playlist], {
        ...place.environment,
        ...environment,
      })
      assert.deepEqual([code, stdout], [1, ''])
      return stderr
    }
    assert.match(
      await told({ ADMIN_LISTEN: `127.0.0.1:${free}` }),
      /no gate answers .*start the gate.*or use --direct/,
    )
    assert.match(await told({ ADMIN_LISTEN: 'off' }), /ADMIN_LISTEN=off: .*or use --direct/)
    assert.match(
      await told({ ADMIN_LISTEN: `127.0.0.1:${place.backend.port}` }),
      /something else than alta-auth answers \(status 200\)/,
    )
    const token = 'a-token-of-some-length'
    const guarded = await startPlace(t, { ADMIN_TOKEN: token })
    const wrong = await runExplain(t, [playlist], { ...guarded.environment, ADMIN_TOKEN: `${token}s` })
    assert.deepEqual([wrong.code, wrong.stdout], [1, ''])
    assert.match(wrong.stderr, /ADMIN_TOKEN/)
    assert.equal((await runExplain(t, [playlist], guarded.environment)).code, 0)
  })

  test('a gate on a Unix socket is reached', async (t) => {
    const path = join(makeTemporaryFolder(t), 'admin.sock')
    const backend = await startBackend(t)
    const environment = { BACKEND_URL: backend.url, ADMIN_LISTEN: `unix:${path}` }
    await startGate(t, environment)
    assert.equal((await runExplain(t, [playlist], environment)).code, 0)
  })
})
