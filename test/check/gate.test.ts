import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { checkSite, flawsOf, startCheckedSite, textOf } from '../support/checked-site.ts'
import { configureNginx } from '../support/configured-nginx.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGateProcess } from '../support/gate-process.ts'
import { startRawBackend } from '../support/raw-backend.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { startValkey } from '../support/valkey.ts'
import { storeOf } from '../support/valkey-settings-of.ts'

const TOKEN = 'a-token-that-nobody-guesses'
/** For tests that neither change its backend nor end its gate. */
const site = forSuite((scope) => startCheckedSite(scope))

describe('check finds at the gate', () => {
  test('that nothing listens, and what nginx does then', async (t) => {
    for (const onFailure of ['deny', 'allow'] as const) {
      const { environment, gate } = await startCheckedSite(t, {
        nginx: { onFailure },
        settings: { DEFAULT_ACTION: onFailure },
      })
      await gate.service.stop()
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), ['failed gate', 'failed default-action'])
      assert.match(
        textOf(findings, 'gate'),
        /^nothing listens on 127\.0\.0\.1:\d+\nstart it: systemctl start/,
      )
      const does = onFailure === 'allow' ? 'lets everybody in' : 'refuses everybody'
      assert.match(
        textOf(findings, 'default-action'),
        new RegExp(`^the gate is down: nginx ${does} right now\n`),
      )
      assert.match(textOf(findings, 'admin'), /^nothing listens on .*: the gate is not running\n$/)
    }
  })

  test('which other gates share its store, and that one of them is gone', async (t) => {
    const valkey = storeOf(await startValkey(t))
    const settings = { STATE_SECRET: 'a-secret-of-thirty-two-characters-', ...valkey }
    const { environment } = await startCheckedSite(t, { settings: { ...settings, GATE_NAME: 'edge1' } })
    const second = { ...environment, LISTEN: '127.0.0.1:0', ADMIN_LISTEN: 'off', GATE_NAME: 'edge2' }
    const other = await startGateProcess(t, second)
    await until('the other gate is heard of', async () => {
      const findings = await checkSite(environment)
      return /ready \(\d+ ms\), and hears of edge2$/.test(textOf(findings, 'admin').trim())
    })
    other.main.signal('SIGKILL')
    await other.main.exited
    await until('it is missed', async () =>
      /has not heard of edge2 for \d+ s/.test(textOf(await checkSite(environment), 'admin')),
    )
  })

  for (const code of [200, 403, 404]) {
    test(`that something else listens there, and answers ${code}`, async (t) => {
      const { environment } = site
      const other = await startBackend(t)
      other.answer = status(code, { Server: 'other/1.0' })
      const LISTEN = `127.0.0.1:${other.port}`
      const PATH = await configureNginx(t, { gate: LISTEN })
      const findings = await checkSite({ ...environment, LISTEN, PATH })
      const [said] = textOf(findings, 'gate').split('\n')
      assert.equal(said, `something else answers ${code} (other/1.0) on ${LISTEN}`)
      assert.ok(flawsOf(findings).includes('failed gate'))
    })
  }

  test('that something else, not HTTP, listens there', async (t) => {
    const { environment } = site
    const other = await startRawBackend(t, (socket) => void socket.end('SSH-2.0-x\r\n'))
    const LISTEN = `127.0.0.1:${other.port}`
    const PATH = await configureNginx(t, { gate: LISTEN })
    assert.match(
      textOf(await checkSite({ ...environment, LISTEN, PATH }), 'gate'),
      /^something else, not HTTP, is on /,
    )
  })

  test('that it is frozen', async (t) => {
    const { environment, backend } = site
    const admin = `127.0.0.1:${await findFreePort()}`
    const { port, main } = await startGateProcess(t, {
      BACKEND_URL: `${backend.url}/auth`,
      ADMIN_LISTEN: admin,
    })
    main.signal('SIGSTOP')
    const LISTEN = `127.0.0.1:${port}`
    const PATH = await configureNginx(t, { gate: LISTEN })
    const findings = await checkSite({ ...environment, LISTEN, PATH, ADMIN_LISTEN: admin })
    assert.deepEqual(flawsOf(findings), ['failed gate', 'failed admin', 'failed default-action'])
    assert.match(textOf(findings, 'gate'), /^is frozen: no answer within 3000 ms on .*\nrestart it/)
    assert.match(textOf(findings, 'admin'), /^frozen: no answer within 2500 ms on /)
  })

  test('that nginx asks elsewhere', async (t) => {
    const { environment } = site
    const PATH = await configureNginx(t, { gate: `127.0.0.1:${await findFreePort()}` })
    const findings = await checkSite({ ...environment, PATH })
    assert.deepEqual(flawsOf(findings), ['failed gate', 'failed default-action', 'failed nginx-upstream'])
    assert.match(
      textOf(findings, 'gate'),
      /\nnginx asks there, but the gate is on 127\.0\.0\.1:\d+: write that/,
    )
    assert.match(textOf(findings, 'nginx-upstream'), /^nginx asks \S+, but LISTEN=127/)
  })

  test('that one of two is down, and that nginx would then take the other out, too', async (t) => {
    const { environment, gate } = site
    const servers = `${gate.address} max_fails=0; server 127.0.0.1:${await findFreePort()}`
    const PATH = await configureNginx(t, { gate: servers })
    const findings = await checkSite({ ...environment, PATH })
    assert.deepEqual(flawsOf(findings), ['warning gate', 'failed nginx-upstream'])
    assert.match(textOf(findings, 'gate'), /^nothing listens on .*; the other 1 answer\n/)

    const counting = await configureNginx(t, {
      gate: servers,
      edits: [['http.conf', 'max_fails=0;\n    # max_fails=0: nginx', ';\n    # nginx']],
    })
    assert.ok(
      (await checkSite({ ...environment, PATH: counting })).some(({ finding }) =>
        finding.endsWith(
          'without max_fails=0: one failure takes a gate out for ten seconds, with all its viewers',
        ),
      ),
    )
  })

  test('nothing where it listens on a socket of systemd, which counts more than LISTEN', async () => {
    const { environment, gate } = site
    const findings = await checkSite({ ...environment, LISTEN: `127.0.0.1:${await findFreePort()}` })
    assert.deepEqual(flawsOf(findings), [])
    assert.ok(textOf(findings, 'gate').startsWith(`answers on ${gate.address}, where nginx asks; LISTEN=`))
  })

  test('that other machines reach it', async () => {
    const { environment, gate } = site
    const findings = await checkSite({ ...environment, LISTEN: `0.0.0.0:${gate.port}` })
    assert.deepEqual(flawsOf(findings), ['warning exposure'])
    assert.match(
      textOf(findings, 'exposure'),
      /^LISTEN=0\.0\.0\.0:\d+ can be reached from other machines\nlisten on/,
    )
  })

  test('that it runs with other settings', async () => {
    const { environment, backend } = site
    const other = await checkSite({ ...environment, BACKEND_URL: `${backend.url}/other` })
    assert.deepEqual(flawsOf(other), ['warning running-settings'])
    assert.match(textOf(other, 'running-settings'), /^the running gate asks http:\S+\/auth\nrestart the gate/)

    const action = await checkSite({ ...environment, DEFAULT_ACTION: 'allow' })
    assert.deepEqual(flawsOf(action), ['warning running-settings', 'warning nginx-on-failure'])
    assert.match(textOf(action, 'running-settings'), /^the running gate has DEFAULT_ACTION=deny\n/)
  })
})

test('an nginx that has nothing of alta-auth is no failure where another machine may ask', async (t) => {
  const { environment, gate } = site
  const PATH = await configureNginx(t, { gate: gate.address, site: 'server { listen 39997; }' })
  const findings = await checkSite({ ...environment, PATH, LISTEN: `0.0.0.0:${gate.port}` })
  assert.deepEqual(flawsOf(findings), ['warning nginx-includes', 'warning exposure'])
  assert.match(
    textOf(findings, 'nginx-includes'),
    /\nall is well if another nginx asks\. Otherwise include http\.conf/,
  )
})

describe('check finds at the admin listener', () => {
  test('that nothing listens although the gate answers', async (t) => {
    const { environment } = await startCheckedSite(t, { settings: { ADMIN_LISTEN: 'off' } })
    assert.deepEqual(flawsOf(await checkSite(environment)), [])
    const findings = await checkSite({ ...environment, ADMIN_LISTEN: `127.0.0.1:${await findFreePort()}` })
    assert.deepEqual(flawsOf(findings), ['failed admin'])
    assert.match(
      textOf(findings, 'admin'),
      /^nothing listens on .*, but the gate answers\nwas the gate started/,
    )
  })

  test('that something else listens there', async (t) => {
    const { environment } = site
    const other = await startBackend(t)
    for (const body of ['', 'null', '{"status":"ok"}', '{"ready":true,"reasons":[],"backends":1}']) {
      other.answer = (_asked, response) => void response.end(body)
      const findings = await checkSite({ ...environment, ADMIN_LISTEN: `127.0.0.1:${other.port}` })
      assert.deepEqual(flawsOf(findings), ['failed admin'])
      assert.match(textOf(findings, 'admin'), /^something else answers on /)
    }
  })

  test('that the token is another one than that of the gate', async (t) => {
    const { environment } = await startCheckedSite(t, { settings: { ADMIN_TOKEN: TOKEN } })
    assert.deepEqual(flawsOf(await checkSite(environment)), [])
    for (const [ADMIN_TOKEN, says] of [
      [`${TOKEN}-old`, /ADMIN_TOKEN is another one/],
      ['', /the running gate has an ADMIN_TOKEN/],
    ] as const) {
      const findings = await checkSite({ ...environment, ADMIN_TOKEN })
      assert.deepEqual(flawsOf(findings), ['warning admin'])
      assert.match(textOf(findings, 'admin'), says)
      assert.ok(!JSON.stringify(findings).includes(TOKEN))
    }
  })

  test('that the gate is not ready', async (t) => {
    const { environment } = site
    const stopping = createServer((_request, response) => {
      response.writeHead(503).end('{"ready":false,"reasons":["the service is stopping"]}')
    }).listen(0, '127.0.0.1')
    t.after(() => void stopping.close())
    await once(stopping, 'listening')
    const { port } = stopping.address() as { port: number }
    const findings = await checkSite({ ...environment, ADMIN_LISTEN: `127.0.0.1:${port}` })
    assert.deepEqual(flawsOf(findings), ['failed admin'])
    assert.match(textOf(findings, 'admin'), /^the gate is not ready: the service is stopping\n/)
  })

  test('that nginx opens it to everybody, unless there is a token', async (t) => {
    const { environment, gate } = await startCheckedSite(t, { settings: { ADMIN_TOKEN: TOKEN } })
    const location = `location /admin/ { proxy_pass http://${environment['ADMIN_LISTEN']}/; }`
    const PATH = await configureNginx(t, {
      gate: gate.address,
      edits: [['site.conf', '    root /srv/media;', `    root /srv/media; ${location}`]],
    })
    assert.deepEqual(flawsOf(await checkSite({ ...environment, PATH })), [])
    const findings = await checkSite({ ...environment, PATH, ADMIN_TOKEN: '' })
    assert.deepEqual(flawsOf(findings), ['warning admin', 'failed exposure'])
    assert.match(
      textOf(findings, 'exposure'),
      /^location \/admin\/ .* opens the admin listener to everybody\nset ADMIN_TOKEN/,
    )
  })
})

describe('check tells what the default action means right now', () => {
  for (const [action, does] of [
    ['deny', 'refused'],
    ['allow', 'let in'],
  ] as const) {
    test(`${action}, while the backend is down`, async (t) => {
      const { environment, gate, backend } = await startCheckedSite(t, {
        settings: { DEFAULT_ACTION: action },
        nginx: { onFailure: action },
      })
      assert.match(
        textOf(await checkSite(environment), 'default-action'),
        new RegExp(`^${action}: unknown viewers are ${does} while`),
      )
      await backend.stop()
      const unasked = await checkSite(environment)
      assert.match(
        textOf(unasked, 'default-action'),
        new RegExp(`^${action}: unknown viewers would be ${does} now, `),
      )
      assert.equal((await askGate(gate.port)).source, 'default')
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), ['failed backend-connection', 'failed default-action'])
      const sum = action === 'allow' ? '1 were let in so, 0 refused' : '0 were let in so, 1 refused'
      assert.match(
        textOf(findings, 'default-action'),
        new RegExp(
          `^${action}: unknown viewers are being ${does} right now \\(unavailable: refused, \\d+ s\\); .* ${sum}\n`,
        ),
      )
      const again = await startBackend(t, backend.port)
      again.answer = hasToken('good')
      const warned = await checkSite(environment)
      assert.deepEqual(flawsOf(warned), ['warning default-action'])
    })
  }

  test('with two backends in failover, one of them is enough', async (t) => {
    const { environment, backend } = await startCheckedSite(t)
    const second = await startBackend(t)
    second.answer = hasToken('good')
    const urls = `${backend.url}/auth ${second.url}/auth`
    await backend.stop()
    for (const [mode, found] of [
      ['failover', []],
      ['any', ['failed default-action']],
    ] as const) {
      const findings = await checkSite({ ...environment, BACKEND_URL: urls, BACKEND_MODE: mode })
      assert.deepEqual(flawsOf(findings), ['failed backend-connection', 'warning running-settings', ...found])
    }
  })
})

test('check notices a backend that denies everybody, as a proxy does whose backends are down', async (t) => {
  const { environment, backend, gate } = await startCheckedSite(t)
  backend.answer = status(403)
  const deny = async (count: number) => {
    for (let n = 0; n < count; n++) await askGate(gate.port, { userAgent: newViewer() })
  }
  await deny(19)
  assert.deepEqual(flawsOf(await checkSite(environment)), [])
  await deny(1)
  const findings = await checkSite(environment)
  assert.deepEqual(flawsOf(findings), ['warning running-verdicts'])
  assert.match(
    textOf(findings, 'running-verdicts'),
    /denied all 20 questions, and allowed none\n.*explain URL --direct.*BACKEND_MODE=any/,
  )
  backend.answer = status(200)
  await askGate(gate.port, { userAgent: newViewer() })
  backend.answer = hasToken('good')
  assert.deepEqual(flawsOf(await checkSite(environment)), [])
})

test('a socket that is not there is told with its path', async (t) => {
  const { environment } = site
  const LISTEN = `unix:${join(makeTemporaryFolder(t), 'gate.sock')}`
  const PATH = await configureNginx(t, { gate: LISTEN })
  assert.equal(
    textOf(await checkSite({ ...environment, LISTEN, PATH }), 'gate').split('\n')[0],
    `nothing listens on ${LISTEN}`,
  )
})
