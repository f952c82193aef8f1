import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import type { Environment } from '../../src/config/read-settings.ts'
import { createLog } from '../../src/log/log.ts'
import { createLogStream } from '../../src/log/log-stream.ts'
import { createMetrics, type MetricsOptions } from '../../src/metrics/metrics.ts'
import { createTally } from '../../src/metrics/tally.ts'
import { type Decision, type Reason, unavailableReasons } from '../../src/verdict.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { exchange, request } from '../support/client.ts'
import { root } from '../support/documentation/pages.ts'
import { findFreePort } from '../support/free-port.ts'
import { holdAnswers } from '../support/hold-answers.ts'
import { readMetrics, type Scrape, startScrapedGate } from '../support/scrape.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'

const DECISIONS = 'alta_auth_decisions_total'

/** All counts above zero: `allow session riding` → how often. */
function decisionsOf({ series }: Scrape): Record<string, number> {
  const counted = series.filter(({ name, value }) => name === DECISIONS && value > 0)
  return Object.fromEntries(
    counted.map(({ labels, value }) => [
      `${labels['verdict']} ${labels['source']} ${labels['reason']}`,
      value,
    ]),
  )
}

/** An unknown viewer with its own address, another one for each number. */
function unknownViewer(n: number): { uri: string; address: string } {
  return { uri: `/live/${n}/index.m3u8?token=1`, address: `192.0.2.${n}` }
}

const silence: MetricsOptions = {
  tally: createTally(),
  backends: [],
  backendTimeout: 2_000,
  sessions: {
    live: { count: () => 0, limit: 1 },
    provisional: { count: () => 0, limit: 1 },
    denied: { count: () => 0, limit: 1 },
  },
  sessionBytes: { live: { count: () => 0, limit: 1 }, provisional: { count: () => 0, limit: 1 } },
  limitRefusals: () => 0,
  sharedNames: () => 0,
  limitAlone: () => 0,
  limitedUsers: () => 0,
  denialsEvicted: () => 0,
  byDefault: () => ({ letIn: 0, refused: 0 }),
  defaultAction: 'deny',
  internalErrors: () => 0,
  logLinesDropped: () => 0,
  events: () => ({ delivered: 0, dropped: 0, waiting: 0 }),
  version: '1.2.3',
}

const idle = {
  health: { current: () => ({ state: 'unasked' }) as const },
  state: () => ({ breaker: 'closed', inFlight: 0, places: 64, waiting: 0 }) as const,
}

/** A gate and its backend. */
async function start(t: TestContext, environment: Environment = {}) {
  const backend = await startBackend(t)
  const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, ...environment })
  return { backend, gate }
}

/** A gate whose backend holds its answers back, with room for four questions. */
async function startHeld(t: TestContext) {
  const site = await start(t, { BACKEND_CONCURRENCY: '4', BACKEND_TIMEOUT: '30s' })
  return { ...site, ...holdAnswers(site.backend) }
}

describe('the text of /metrics', () => {
  test('is in order for promtool, before and after the first requests', async (t) => {
    const { gate } = await start(t)
    for (const asks of [0, 3]) {
      for (let n = 1; n <= asks; n++) await askGate(gate.port, unknownViewer(n))
      const { text, contentType } = await gate.scrape()
      assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
      assert.deepEqual([checked.status, checked.stdout, checked.stderr], [0, '', ''])
    }
  })

  test('has names of our own and those of every Node program, each with a type and a help', async (t) => {
    const { gate } = await start(t)
    const { types, series, text } = await gate.scrape()
    for (const [name, type] of types) {
      assert.match(name, /^(?:alta_auth|process|nodejs)_[a-z0-9_]+$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'))
    }
    for (const { name } of series)
      assert.ok(types.has(name) || types.has(name.replace(/_(?:bucket|sum|count)$/, '')), name)
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_version_info',
    ])
      assert.ok(types.has(name), name)
  })

  test('tells version, settings and bounds', async (t) => {
    const { gate } = await start(t, {
      BACKEND_TIMEOUT: '1500ms',
      DEFAULT_ACTION: 'allow',
      MAX_SESSIONS: '777',
      SESSION_MEMORY: '10m',
    })
    const now = await gate.scrape()
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    now.shows(`
      build_info version=${version} node=${process.version} 1; backend_timeout_seconds 1.5
      default_action action=allow 1; default_action action=deny 0; sessions_limit kind=live 777
      sessions_limit kind=provisional 20000; sessions_limit kind=denied 100000
      session_bytes_limit kind=live ${8 * 1_048_576}
      session_bytes_limit kind=provisional ${2 * 1_048_576}; session_bytes kind=live 0`)
    await askGate(gate.port, unknownViewer(1))
    assert.ok((await gate.scrape()).value('alta_auth_session_bytes', { kind: 'live' }) > 400)
  })

  test('has each kind of answer from the start, so that the first one is seen as a rise', async (t) => {
    const { gate } = await start(t)
    const now = await gate.scrape()
    assert.equal(now.value(DECISIONS, { verdict: 'allow', source: 'session', reason: 'riding' }), 0)
    for (const reason of unavailableReasons) {
      for (const source of ['stale', 'default'])
        for (const verdict of ['allow', 'deny'])
          assert.equal(now.value(DECISIONS, { verdict, source, reason: `unavailable-${reason}` }), 0)
      assert.equal(now.value('alta_auth_questions_total', { outcome: reason }), 0)
    }
    now.shows('question_duration_seconds_count 0; default_decisions_total verdict=allow 0')
    assert.deepEqual(decisionsOf(now), {})
  })

  test('shows numbers that are kept elsewhere as they are at that moment', async () => {
    let n = 1
    const metrics = createMetrics({
      ...silence,
      denialsEvicted: () => n,
      byDefault: () => ({ letIn: n + 1, refused: n + 2 }),
      internalErrors: () => n + 3,
      logLinesDropped: () => n + 4,
      events: () => ({ delivered: n + 5, dropped: n + 6, waiting: n + 7 }),
    })
    for (n of [1, 100, 2_000]) {
      const now = readMetrics((await metrics.text()).body)
      now.shows(`
        denials_evicted_total ${n}; default_decisions_total verdict=allow ${n + 1}
        default_decisions_total verdict=deny ${n + 2}; internal_errors_total ${n + 3}
        log_lines_dropped_total ${n + 4}; events_total result=delivered ${n + 5}
        events_total result=dropped ${n + 6}; events_waiting ${n + 7}`)
    }
  })

  test('keeps no process alive', () => {
    const script = `const { createMetrics } = await import('./src/metrics/metrics.ts')
      const { createTally } = await import('./src/metrics/tally.ts')
      const sessions = Object.fromEntries(['live', 'provisional', 'denied'].map((kind) => [kind, { count: () => 0, limit: 1 }]))
      const none = () => 0
      const metrics = createMetrics({ tally: createTally(), backends: [], backendTimeout: 1, sessions, sessionBytes: sessions, denialsEvicted: none, limitRefusals: none, sharedNames: none, limitAlone: none, limitedUsers: none,
        byDefault: () => ({ letIn: 0, refused: 0 }), defaultAction: 'deny', internalErrors: none, logLinesDropped: none,
        events: () => ({ delivered: 0, dropped: 0, waiting: 0 }), version: '1' })
      process.stdout.write(String((await metrics.text()).body.length > 1000))`
    const { status: code, stdout } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { cwd: root, encoding: 'utf8', timeout: 60_000 },
    )
    assert.deepEqual([code, stdout], [0, 'true'])
  })
})

describe('every answer to nginx is counted once', () => {
  test('asked, remembered, riding, denied and refused ones', async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('good')
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, DENY_TTL: '10m' })
    const ask = async (uri: string, times: number): Promise<void> => {
      for (let n = 0; n < times; n++) await askGate(gate.port, { uri })
    }
    await ask('/live/index.m3u8?token=good', 3)
    await ask('/live/1.ts', 4)
    await ask('/paid/index.m3u8?token=bad', 3)
    backend.answer = status(404)
    await ask('/paid/index.m3u8?token=worse', 1)
    // Refused: by the router, by the reader of subrequests, and by the parser of HTTP.
    await request({ port: gate.port, target: '/auth', method: 'HEAD' })
    await request({ port: gate.port, target: '/other' })
    await request({ port: gate.port, target: '/auth' })
    await askGate(gate.port, { uri: `/live/index.m3u8?token=${'x'.repeat(9_000)}` })
    await exchange({ port: gate.port }, Buffer.from('no HTTP at all\r\n\r\n'))

    const now = await gate.scrape()
    assert.deepEqual(decisionsOf(now), {
      'allow backend backend-200': 1,
      'allow session remembered': 2,
      'allow session riding': 4,
      'deny backend backend-403': 1,
      'deny session remembered': 2,
      'deny backend backend-404': 1,
      'deny gate bad-request': 5,
    })
    assert.equal(now.sum(DECISIONS), 16)
    assert.equal(now.sum('alta_auth_questions_total'), 3)
    now.shows(`
      questions_total outcome=allow 1; questions_total outcome=deny 2; sessions kind=live 1
      sessions kind=denied 2; sessions_opened_total 1`)
  })

  test('five who wait for one question are five answers and one question', async (t) => {
    const backend = await startBackend(t)
    const held: ServerResponse[] = []
    backend.answer = (_asked, response) => void held.push(response)
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '30s' })
    const answers = Array.from({ length: 5 }, () => askGate(gate.port))
    await until('all five to be connected', async () => {
      const connections = await new Promise<number>((resolve) =>
        gate.service.gateServer.getConnections((_error, count) => resolve(count)),
      )
      return held.length === 1 && connections === 5
    })
    for (const response of held) response.end()
    await Promise.all(answers)
    const now = await gate.scrape()
    assert.deepEqual([now.sum(DECISIONS, { verdict: 'allow' }), now.sum(DECISIONS)], [5, 5])
    assert.equal(now.sum('alta_auth_questions_total'), 1)
    assert.equal(now.value('alta_auth_question_duration_seconds_count'), 1)
  })

  test('what the gate refuses for a client that asks too much', async (t) => {
    const { backend, gate } = await start(t, { BACKEND_CONCURRENCY: '4', BACKEND_TIMEOUT: '2s' })
    const { held, release } = holdAnswers(backend)
    const hold = backend.answer
    // The control question is answered, so the backend works.
    backend.answer = (asked, response, request) => {
      if (asked.target.includes('token')) hold(asked, response, request)
      else response.end()
    }
    const ask = (n: number) =>
      askGate(gate.port, { uri: `/live/${n}/index.m3u8?token=1`, address: `198.51.${n}.1` })
    const crowd = Array.from({ length: 4 }, (_, n) => ask(n))
    await until('four questions', () => held.length === 4)
    assert.equal((await ask(20)).reason, 'too-many-questions')
    release()
    await Promise.all(crowd)
    const now = await gate.scrape()
    assert.deepEqual(decisionsOf(now), { 'allow backend backend-200': 4, 'deny gate too-many-questions': 1 })
    assert.equal(now.value('alta_auth_questions_total', { outcome: 'too-many-questions' }), 1)
  })

  for (const action of ['allow', 'deny'] as const) {
    test(`unknown viewers by DEFAULT_ACTION=${action}, each one decision of the default action`, async (t) => {
      const url = `http://127.0.0.1:${await findFreePort()}/auth`
      const gate = await startScrapedGate(t, {
        BACKEND_URL: url,
        DEFAULT_ACTION: action,
        DEFAULT_TTL: '10m',
      })
      for (const n of [1, 2]) await askGate(gate.port, unknownViewer(n))
      for (let times = 0; times < 3; times++) await askGate(gate.port, unknownViewer(1))
      const now = await gate.scrape()
      assert.deepEqual(decisionsOf(now), { [`${action} default unavailable-refused`]: 5 })
      const other = action === 'allow' ? 'deny' : 'allow'
      now.shows(`
        default_decisions_total verdict=${action} 2; default_decisions_total verdict=${other} 0
        sessions kind=provisional ${action === 'allow' ? 2 : 0}
        sessions kind=denied ${action === 'allow' ? 0 : 2}; questions_total outcome=refused 2
        backend_unavailable backend=${url} 1`)
    })
  }

  test('a stranger who was let in is not counted again when a re-check finds the backend away still', async (t) => {
    const url = `http://127.0.0.1:${await findFreePort()}/auth`
    const gate = await startScrapedGate(t, { BACKEND_URL: url, DEFAULT_ACTION: 'allow', DEFAULT_TTL: '1s' })
    let now = await gate.scrape()
    await until('a re-check', async () => {
      await askGate(gate.port)
      now = await gate.scrape()
      return now.value('alta_auth_questions_total', { outcome: 'refused' }) >= 2
    })
    assert.equal(now.sum('alta_auth_default_decisions_total'), 1)
  })

  test('what a known viewer is let in by while the backend is away', async (t) => {
    const { backend, gate } = await start(t, { ALLOW_TTL: '1s' })
    await askGate(gate.port)
    await backend.stop()
    await until('a stale allow', async () => (await askGate(gate.port)).source === 'stale')
    const now = await gate.scrape()
    assert.ok(now.value(DECISIONS, { verdict: 'allow', source: 'stale', reason: 'unavailable-refused' }) >= 1)
    assert.equal(now.sum('alta_auth_default_decisions_total'), 0)
  })
})

describe('backends', () => {
  test('the breaker: open is 1, and what it keeps from being asked has no time', async (t) => {
    const url = `http://127.0.0.1:${await findFreePort()}/auth`
    const gate = await startScrapedGate(t, { BACKEND_URL: url })
    const state = (now: Scrape): number[] =>
      ['closed', 'open', 'half-open'].map((one) => now.value('alta_auth_breaker_state', { state: one }))
    assert.deepEqual(state(await gate.scrape()), [1, 0, 0])
    let n = 1
    await until('the breaker to open', async () => {
      await askGate(gate.port, { ...unknownViewer(n), address: `198.51.${n++}.1` })
      return (await gate.scrape()).value('alta_auth_breaker_state', { state: 'open' }) === 1
    })
    assert.deepEqual(state(await gate.scrape()), [0, 1, 0])
    // One in a second is a try.
    await until('an answer of the breaker', async () => {
      const { reason } = await askGate(gate.port, unknownViewer(n++))
      return reason === 'unavailable-breaker'
    })
    const now = await gate.scrape()
    const refused = now.value('alta_auth_questions_total', { outcome: 'refused' })
    const kept = now.value('alta_auth_questions_total', { outcome: 'breaker' })
    assert.ok(refused >= 10 && kept >= 1, `${refused} ${kept}`)
    assert.equal(now.sum('alta_auth_questions_total'), n - 1)
    assert.equal(now.value('alta_auth_question_duration_seconds_count'), refused)
  })

  test('questions in flight and waiting', async (t) => {
    const { backend, gate, release } = await startHeld(t)
    const answers = [1, 2, 3, 4, 5, 6].map((n) =>
      askGate(gate.port, { ...unknownViewer(n), address: `198.51.${n}.1` }),
    )
    let now = await gate.scrape()
    await until('four in flight and two waiting', async () => {
      now = await gate.scrape()
      return now.value('alta_auth_questions_waiting') === 2
    })
    assert.equal(now.value('alta_auth_questions_in_flight', { backend: `${backend.url}/` }), 4)
    assert.equal(now.value('alta_auth_questions_limit', { backend: `${backend.url}/` }), 4)
    release()
    await Promise.all(answers)
    now = await gate.scrape()
    assert.deepEqual(
      [now.value('alta_auth_questions_in_flight'), now.value('alta_auth_questions_waiting')],
      [0, 0],
    )
  })

  test('the time of a question is told in seconds', async (t) => {
    const backend = await startBackend(t)
    backend.answer = (_asked, response) => void setTimeout(() => response.end(), 120)
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, BACKEND_TIMEOUT: '30s' })
    await askGate(gate.port)
    await askGate(gate.port) // remembered
    const now = await gate.scrape()
    const bucket = (le: string): number => now.value('alta_auth_question_duration_seconds_bucket', { le })
    assert.deepEqual([bucket('0.005'), bucket('0.1'), bucket('+Inf')], [0, 0, 1])
    const sum = now.value('alta_auth_question_duration_seconds_sum')
    assert.ok(sum >= 0.115 && sum < 30, String(sum))
  })

  test('each of several has series of its own', async (t) => {
    const backend = await startBackend(t)
    const down = `http://127.0.0.1:${await findFreePort()}/`
    const gate = await startScrapedGate(t, { BACKEND_URL: `${down} ${backend.url}` })
    await askGate(gate.port)
    const now = await gate.scrape()
    const questions = 'alta_auth_questions_total'
    assert.equal(now.value(questions, { backend: down, outcome: 'refused' }), 1)
    assert.equal(now.value(questions, { backend: `${backend.url}/`, outcome: 'allow' }), 1)
    assert.equal(now.value('alta_auth_backend_unavailable', { backend: down }), 1)
    assert.equal(now.value('alta_auth_backend_unavailable', { backend: `${backend.url}/` }), 0)
  })

  test('two that differ in their parameters only are told apart, and no parameter or password is shown', async (t) => {
    const backend = await startBackend(t)
    backend.answer = ({ target }, response) =>
      void response.writeHead(target.includes('secret=two') ? 200 : 503).end()
    const url = (secret: string): string =>
      `${backend.url.replace('//', '//me:pass-word@')}/a?secret=${secret}`
    const gate = await startScrapedGate(t, {
      BACKEND_URL: `${url('one')} ${url('two')}`,
      UNAVAILABLE_STATUS: '503',
    })
    await askGate(gate.port)
    const now = await gate.scrape()
    assert.equal(
      now.value('alta_auth_questions_total', { backend: `${backend.url}/a`, outcome: 'status' }),
      1,
    )
    assert.equal(
      now.value('alta_auth_questions_total', { backend: `${backend.url}/a#2`, outcome: 'allow' }),
      1,
    )
    assert.doesNotMatch(now.text, /secret|pass-word|me:/)
  })
})

describe('sessions', () => {
  test('that end are counted by why', async (t) => {
    const { backend, gate } = await start(t, { MAX_SESSIONS: '2', ALLOW_TTL: '1s' })
    const ended = (now: Scrape, reason: string): number =>
      now.value('alta_auth_sessions_ended_total', { reason })
    for (const n of [1, 2, 3]) await askGate(gate.port, unknownViewer(n))
    let now = await gate.scrape()
    assert.deepEqual([now.value('alta_auth_sessions_opened_total'), ended(now, 'evicted')], [3, 1])
    backend.answer = status(403)
    await until('a re-check to be denied', async () => {
      await askGate(gate.port, unknownViewer(3))
      now = await gate.scrape()
      return ended(now, 'denied') === 1
    })
    assert.deepEqual([ended(now, 'idle'), ended(now, 'expired'), ended(now, 'closed')], [0, 0, 0])
    assert.equal(now.value('alta_auth_sessions', { kind: 'live' }), 1)
  })

  test('that the operator closes are counted as closed', async (t) => {
    const { gate } = await start(t)
    const { sessionId } = await askGate(gate.port)
    const closed = await request({
      port: gate.adminPort,
      host: `Host: 127.0.0.1:${gate.adminPort}`,
      target: `/sessions/${sessionId}`,
      method: 'DELETE',
    })
    assert.equal(closed.status, 204)
    const now = await gate.scrape()
    now.shows('sessions_ended_total reason=closed 1; sessions kind=live 0')
  })

  test('are told to EVENTS_URL, and that is counted too', async (t) => {
    const backend = await startBackend(t)
    const receiver = await startBackend(t)
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url, EVENTS_URL: receiver.url })
    const delivered = async (): Promise<number> =>
      (await gate.scrape()).value('alta_auth_events_total', { result: 'delivered' })
    // The metrics show the gate itself, too.
    await until('the first event', async () => (await delivered()) === 1)
    await askGate(gate.port)
    await until('the second event', async () => (await delivered()) === 2)
    const now = await gate.scrape()
    now.shows('events_waiting 0; events_total result=dropped 0')
  })

  test('of the default action that become full ones do not begin twice', async (t) => {
    const port = await findFreePort()
    const gate = await startScrapedGate(t, {
      BACKEND_URL: `http://127.0.0.1:${port}`,
      DEFAULT_ACTION: 'allow',
      DEFAULT_TTL: '1s',
    })
    await askGate(gate.port)
    await startBackend(t, port)
    let now = await gate.scrape()
    await until('a full session', async () => {
      await askGate(gate.port)
      now = await gate.scrape()
      return now.value('alta_auth_sessions', { kind: 'live' }) === 1
    })
    now.shows('sessions kind=provisional 0; sessions_opened_total 1')
    assert.equal(now.sum('alta_auth_sessions_ended_total'), 0)
  })
})

describe('labels are bounded', () => {
  const deny = (reason: Reason): Decision => ({
    verdict: 'deny',
    source: 'backend',
    reason,
    sessionId: '',
    userId: '',
    holdsFor: 0,
    cacheable: false,
  })

  test('whatever a status may become', () => {
    const tally = createTally()
    const before = tally.snapshot().answers.length
    for (let code = 0; code < 3_000; code++) tally.answered(deny(`backend-${code}`))
    for (const code of [Number.NaN, 200.5, -200, 1e21]) tally.answered(deny(`backend-${code}`))
    const { answers } = tally.snapshot()
    const statuses = answers.filter(({ verdict, count }) => verdict === 'deny' && count > 0)
    assert.equal(statuses.length, 501)
    assert.equal(answers.length - before, 500, 'one of them was there from the start')
    assert.equal(statuses.find(({ reason }) => reason === 'backend-other')?.count, 3_004 - 500)
  })

  test('two hundred viewers, tokens and channels add no series', async (t) => {
    const backend = await startBackend(t)
    backend.answer = hasToken('1')
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url })
    await askGate(gate.port, unknownViewer(0))
    await askGate(gate.port, { uri: '/a/index.m3u8?token=2' })
    const ours = ({ series }: Scrape): number =>
      series.filter(({ name }) => name.startsWith('alta_auth_')).length
    const before = ours(await gate.scrape())
    for (let n = 0; n < 200; n++) {
      await askGate(gate.port, {
        uri: `/c${n}/index.m3u8?token=${n % 2}`,
        address: `198.51.100.${n % 250}`,
        userAgent: `player ${n}`,
        origin: `http://${n}.example.com`,
      })
    }
    const now = await gate.scrape()
    assert.equal(now.sum(DECISIONS), 202)
    assert.equal(ours(now), before)
    assert.ok(before < 200, String(before))
  })
})

describe('what else is counted', () => {
  test('log lines that nobody took', async (t) => {
    const backend = await startBackend(t)
    // Takes one line and then stops reading.
    const stalled = new Writable({ write: () => {} })
    const stream = createLogStream(stalled, () => 'some were dropped')
    const log = createLog({ level: 'info', format: 'json', colour: false, stream })
    const gate = await startScrapedGate(t, { BACKEND_URL: backend.url }, log)
    assert.equal(stream.linesDropped(), 0)
    for (let n = 0; n < 20; n++) log.info('x'.repeat(100_000))
    await until('a full pipe', () => stream.linesDropped() > 0)
    const now = await gate.scrape()
    assert.equal(now.value('alta_auth_log_lines_dropped_total'), stream.linesDropped())
    assert.ok(stream.linesDropped() < 20)
  })

  test('a backend is named by its place, not by the words of its URL alone', async () => {
    const names = ['http://a/', 'http://b/', 'http://a/', 'http://a/']
    const metrics = createMetrics({ ...silence, backends: names.map((name) => ({ name, ...idle })) })
    metrics.asked(3, { kind: 'allow', backend: 'http://a/', grant: {} }, 7)
    const now = readMetrics((await metrics.text()).body)
    const seen = now.series.filter(({ name }) => name === 'alta_auth_backend_unavailable')
    assert.deepEqual(
      seen.map(({ labels }) => labels['backend']),
      ['http://a/', 'http://b/', 'http://a/#2', 'http://a/#3'],
    )
    now.shows(`
      questions_total backend=http://a/#3 outcome=allow 1
      question_duration_seconds_sum backend=http://a/#3 0.007`)
  })
})
