import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { accepts } from '../../support/accepts.ts'
import { startChild } from '../../support/child.ts'
import { findFreePort } from '../../support/free-port.ts'
import { demoProgram, startDemo } from '../../support/started-demo.ts'
import { until } from '../../support/until.ts'

/** Runs a line as a person would who has copied it. */
async function run(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line])
  return stdout
}

/** The URL of the operator's page that it prints. */
function adminOf(output: string): string {
  const [, url] = /^The operator's view .*(http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(output) ?? []
  assert.ok(url !== undefined, output)
  return url
}

/** Every port that it says it uses. */
function portsOf(output: string): number[] {
  const [, ...named] = /^nginx (\d+) → alta-auth (\d+) → example backend (\d+)/m.exec(output) ?? []
  const admin = adminOf(output)
  const ports = [...named, new URL(admin).port].map(Number)
  assert.equal(ports.length, 4, output)
  return ports
}

describe('npm run demo', () => {
  test('says where the page is, then three lines to copy, and each shows what it says', async (t) => {
    const { child, url, lineOf } = await startDemo(t)
    assert.ok(child.output().indexOf(`Open ${url}/`) < child.output().indexOf('curl'))
    assert.match(await run(`curl -s ${url}/`), /<title>alta-auth demo<\/title>/)
    assert.match(await run(`curl -s ${adminOf(child.output())}`), /<title>[^<]*alta-auth/)
    const allowed = await run(lineOf('allowed:'))
    assert.match(allowed, /^HTTP\/1\.1 200 /)
    assert.match(allowed, /X-Auth-Reason: backend-200/)
    await until('the backend to tell whom it allowed', () =>
      /backend: allowed .*real-ua=curl/.test(child.output()),
    )
    assert.match(await run(lineOf('denied:')), /^HTTP\/1\.1 403 .*X-Auth-Reason: backend-403/s)
    const stopped = await run(lineOf('curl -X POST'))
    assert.match(
      stopped,
      /^backend: stopped\nHTTP\/1\.1 403 .*X-Auth-Source: default\r\nX-Auth-Reason: unavailable-refused/s,
    )
    const back = lineOf('The backend is back with').replace(/^.*with +/, '')
    assert.equal(await run(back), 'backend: started\n')
    const another = lineOf('allowed:').replace('curl', 'curl -A another')
    assert.match(await run(another), /^HTTP\/1\.1 200 .*X-Auth-Reason: backend-200/s)
  })

  test('Ctrl-C ends everything that it started', async (t) => {
    const { child } = await startDemo(t, undefined, { detached: true })
    const ports = portsOf(child.output())
    for (const port of ports) assert.equal(await accepts(port), true, `port ${port} is not open`)
    // A terminal sends the signal to the whole process group of the command. What the demo has started has
    // groups of its own.
    process.kill(-(child.process.pid ?? assert.fail()), 'SIGINT')
    assert.equal(await child.exited, 0)
    assert.match(child.output(), /\nending …\n/)
    for (const port of ports) assert.equal(await accepts(port), false, `port ${port} is still open`)
  })

  test('finds other ports where the usual ones are taken', async (t) => {
    const first = await findFreePort()
    const usual = [first, first + 1, first + 2, first + 3, first + 4]
    for (const port of usual) {
      const squatter = createServer()
      await new Promise<void>((resolve) => {
        // A port that is taken already works as well.
        squatter.once('error', () => resolve())
        squatter.listen(port, '127.0.0.1', resolve)
      })
      t.after(() => void squatter.close())
    }
    const { child, lineOf } = await startDemo(t, first)
    const ports = portsOf(child.output())
    assert.equal(new Set([...ports, ...usual]).size, ports.length + usual.length, ports.join(' '))
    assert.match(await run(lineOf('allowed:')), /^HTTP\/1\.1 200 /)
  })

  for (const [variable, value, sentence] of [
    ['DEMO_PORT', 'eighty', 'DEMO_PORT is "eighty": set it to a port from 1 to 65500.\n'],
    ['DEFAULT_ACTION', 'maybe', 'DEFAULT_ACTION is "maybe": set it to allow or deny.\n'],
  ] as const) {
    test(`a ${variable} that means nothing is one sentence with the cure`, async (t) => {
      const child = startChild(t, process.execPath, [demoProgram], {
        env: { ...process.env, [variable]: value },
      })
      assert.equal(await child.exited, 1)
      assert.equal(child.output(), sentence)
    })
  }
})

describe('npm run demo in a terminal', () => {
  for (const [what, plain] of [
    ['the address stands out', {}],
    ['NO_COLOR is respected', { NO_COLOR: '1' }],
  ] as const) {
    test(`${what}, and closing the window ends everything`, async (t) => {
      const env = { ...process.env, TERM: 'xterm', DEMO_PORT: String(await findFreePort()), ...plain }
      // A terminal of its own.
      const command = `'${process.execPath}' '${demoProgram}'`
      const terminal = startChild(t, 'script', ['-q', '-e', '-f', '-c', command, '/dev/null'], { env })
      await until('what to copy', () => terminal.output().includes('Ctrl-C ends everything'), 90_000)
      const text = terminal.output().replaceAll('\r', '')
      if ('NO_COLOR' in plain) assert.ok(!text.includes('\x1b'), text)
      else assert.match(text, /Open \x1b\[1mhttp:\/\/127\.0\.0\.1:\d+\/\x1b\[0m in a browser/)

      terminal.process.kill('SIGKILL')
      for (const port of portsOf(text)) {
        await until(`port ${port} to be closed`, async () => !(await accepts(port)), 30_000)
      }
    })
  }
})
