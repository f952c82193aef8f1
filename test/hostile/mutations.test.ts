import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { createChance } from '../support/create-chance.ts'
import { startGateProcess } from '../support/gate-process.ts'
import {
  addressOf,
  BAD,
  GOOD,
  isConservative,
  partsWith,
  type Route,
  requestBytes,
} from '../support/hostile-request.ts'
import { allowsOnlyGood, hostileEnvironment, inParallel, tally } from '../support/hostile-site.ts'
import { kinds, mutate } from '../support/mutations.ts'
import { startNginx } from '../support/nginx.ts'
import { rounds } from '../support/rounds.ts'
import { forSuite } from '../support/scope.ts'
import { type Received, sendBytes } from '../support/send-bytes.ts'
import { until } from '../support/until.ts'

const COUNT = rounds(800, 5_000)
/** Milliseconds after which a request that was cut short is ended. */
const SILENCE = 150
const SEED = Number(process.env['MUTATIONS_SEED'] ?? 20_261_124)

/** Valid requests of every kind, each of a viewer of its own. One half has the token. */
function validRequest(route: Route, n: number): string {
  const token = n % 2 === 0 ? GOOD : BAD
  const parts = {
    ...partsWith('userAgent', `viewer-${n}`),
    path: ['/live/x.ts', '/live/index.m3u8', '/a%20b/../c//d.mpd', '/f%C3%A9.mp4'][n % 4] ?? '',
    host: n % 3 === 0 ? 'live.example.com:8080' : '[::1]',
    playbackId: n % 5 === 0 ? `id-${n}` : '',
  }
  const request = requestBytes(route, parts, token, n)
  if (route === 'directly' || n % 7 !== 0) return request
  return `${request.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\n')}body`
}

interface Sent {
  readonly bytes: string
  readonly received: Received
}

describe('mutations of valid requests, DEFAULT_ACTION=allow and on-failure-allow:', () => {
  const backend = forSuite((scope) => startBackend(scope))
  const gate = forSuite((scope) => {
    backend.answer = allowsOnlyGood
    return startGateProcess(scope, { BACKEND_URL: backend.url, ...hostileEnvironment })
  })
  const nginx = forSuite((scope) =>
    startNginx(scope, {
      gates: [`127.0.0.1:${gate.port}`],
      onFailure: 'allow',
      server: 'location / { LOCATION empty_gif; }',
    }),
  )

  /** No viewer of the one route may ride on a session of the other. */
  const firstOf = (route: Route): number => (route === 'directly' ? 0 : COUNT)
  const send = (route: Route, bytes: string, n: number, silence = SILENCE): Promise<Received> =>
    sendBytes(
      route === 'directly'
        ? { port: gate.port, silence }
        : { port: nginx.port, silence, from: addressOf(firstOf(route) + n) },
      bytes,
    )

  const sendMutations = async (t: TestContext, route: Route, seed: number): Promise<Sent[]> => {
    const chance = createChance(seed)
    const requests = Array.from({ length: COUNT }, (_, n) => validRequest(route, firstOf(route) + n))
    // A splice takes its other half from requests without the token. So a viewer who is let in has sent the
    // token itself.
    const others = requests.filter((_, n) => n % 2 === 1)
    const mutated = requests.map((request) => mutate(request, chance, others))
    const answers = await inParallel(mutated, ({ bytes }, n) => send(route, bytes, n))
    t.diagnostic(`seed ${seed} (MUTATIONS_SEED changes it), ${COUNT} requests ${route}`)
    t.diagnostic(`mutations: ${tally(mutated.flatMap((one) => one.kinds))}`)
    t.diagnostic(`answers: ${tally(answers.map(({ statuses }) => statuses[0] ?? 0))}`)
    assert.equal(new Set(mutated.flatMap((one) => one.kinds)).size, kinds.length, 'every kind of mutation')
    return mutated.map(({ bytes }, n) => ({ bytes, received: answers[n] ?? assert.fail() }))
  }

  /** @param isStatus whether a status may come back */
  const assertHarmless = (sent: readonly Sent[], isStatus: (status: number) => boolean): void => {
    const harm = {
      hangs: ({ received }: Sent) => received.isHung,
      'odd statuses': ({ received }: Sent) => !received.statuses.every(isStatus),
      'unexpected allows': ({ bytes, received }: Sent) => received.isLetIn && !bytes.includes(GOOD),
    }
    for (const [what, isHarm] of Object.entries(harm)) {
      const shown = sent.filter(isHarm).map(({ bytes, received }) => [bytes, received.text.slice(0, 400)])
      assert.deepEqual(shown.slice(0, 3), [], `${shown.length} ${what}`)
    }
    assert.ok(sent.some(({ received }) => received.isLetIn))
    const output = gate.main.stdout() + gate.main.stderr()
    assert.doesNotMatch(output, /internal error|uncaught|"source":"default"|unavailable-|"unavailable"/)
    process.kill(gate.main.pid, 0)
    assert.ok(backend.asked.every(isConservative))
  }

  for (const route of ['directly', 'through nginx'] as const) {
    test(`none, ${route}: the verdict is that of the token`, async () => {
      // Of other viewers than those whose requests are mutated.
      const whole = Array.from({ length: 140 }, (_, n) => 2 * COUNT + firstOf(route) + n)
      await inParallel(whole, async (n) => {
        const { statuses, text } = await send(route, validRequest(route, n), n, 4_000)
        // 405 is nginx's answer to a POST for a file, after an allow.
        const expected = n % 2 === 0 ? [200, 405] : [403]
        assert.ok(statuses.length === 1 && expected.includes(statuses[0] ?? 0), `viewer ${n}: ${text}`)
      })
    })
  }

  test('directly: only 200 and 403, and 200 only with the token', async (t) => {
    const sent = await sendMutations(t, 'directly', SEED)
    assertHarmless(sent, (status) => status === 200 || status === 403)
  })

  test('through nginx: no 5xx of ours, and let in only with the token', async (t) => {
    const sent = await sendMutations(t, 'through nginx', SEED + 1)
    assertHarmless(sent, (status) => status < 500 || status === 501 || status === 505)

    await sendBytes({ port: nginx.port }, requestBytes('through nginx', partsWith('path', 'end'), BAD, 0))
    await until('the last line', () => nginx.accessLog().some((line) => line.includes('/live/aendb.ts')))
    const verdicts = nginx.accessLog().map((line) => / verdict=\S+ source=\S+/.exec(line)?.[0].trim() ?? line)
    t.diagnostic(`access log: ${tally(verdicts)}`)
    const expected =
      /^verdict=(?:- source=-|deny source=(?:backend|gate|nginx|session)|allow source=(?:backend|session))$/
    assert.deepEqual(
      verdicts.filter((verdict) => !expected.test(verdict)),
      [],
    )
    const owners = new Map(sent.map(({ bytes }, n) => [addressOf(COUNT + n), bytes]))
    const allowed = nginx.accessLog().filter((line) => line.includes(' verdict=allow '))
    assert.deepEqual(
      allowed.filter((line) => owners.get(line.split(' ')[0] ?? '')?.includes(GOOD) === false),
      [],
    )
    assert.doesNotMatch(nginx.errorLog(), /exited on signal|upstream sent|upstream prematurely/)
  })
})
