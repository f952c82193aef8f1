import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { accepts } from '../../support/accepts.ts'
import { startChild } from '../../support/child.ts'
import { findFreePort } from '../../support/free-port.ts'
import { demoProgram, portsOf, startDemo } from '../../support/started-demo.ts'
import { until } from '../../support/until.ts'

describe('npm run demo', () => {
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
    const { stdout } = await promisify(execFile)('sh', ['-c', lineOf('allowed:')])
    assert.match(stdout, /^HTTP\/1\.1 200 /)
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
