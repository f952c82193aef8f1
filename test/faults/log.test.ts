import assert from 'node:assert/strict'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { accepts } from '../support/accepts.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { findFreePort } from '../support/free-port.ts'
import { mainFile, startMain } from '../support/main-process.ts'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** Blocks of 512 bytes that a file may have: some dozens of lines. */
const ROOM = 64
/** Milliseconds in which a gate that gives up would be gone. */
const GIVES_UP_WITHIN = 500

/** Loaded before the program: each SIGUSR2 makes Node warn of something on stderr. */
const warner = `process.on('SIGUSR2', () => process.emitWarning('something odd'))`

describe('the gate decides on, whatever becomes of its log:', () => {
  const backend = forSuite((scope) => startBackend(scope))

  let viewers = 0
  let answered = 0
  const ask = async (port: number, count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      const { reason } = await askGate(port, { userAgent: `viewer-${viewers++}` })
      assert.equal(reason, 'backend-200')
      answered++
    }
  }
  const environmentOf = (port: number) => ({
    BACKEND_URL: backend.url,
    ADMIN_LISTEN: 'off',
    LISTEN: `127.0.0.1:${port}`,
  })

  test('no room for it, and room again: nothing of it is lost', async (t) => {
    answered = 0
    const port = await findFreePort()
    const file = join(makeTemporaryFolder(t), 'log')
    writeFileSync(file, '')
    const script = `ulimit -f ${ROOM}; exec "$0" "$1" >> "$2"`
    const command = ['sh', '-c', script, process.execPath, mainFile, file] as const
    const main = startMain(t, environmentOf(port), { command })
    await until('the gate', () => accepts(port), 30_000)
    await until('a full file', async () => {
      await ask(port, 10)
      return statSync(file).size === ROOM * 512
    })
    await ask(port, 20)
    const written = readFileSync(file, 'utf8')
    truncateSync(file)
    const lines = (): string[] => `${written}${readFileSync(file, 'utf8')}`.trim().split('\n')
    const decided = (): number => lines().filter((line) => line.includes('"message":"decided"')).length
    await until('all lines', () => decided() === answered)
    for (const line of lines()) JSON.parse(line)
    main.signal('SIGTERM')
    assert.equal(await main.exited, 0)
    assert.equal(main.stderr(), '')
  })

  test('its reader has gone away, and that of the warnings too', async (t) => {
    const port = await findFreePort()
    const preload = `data:text/javascript,${encodeURIComponent(warner)}`
    const gate = startChild(t, process.execPath, ['--import', preload, mainFile], {
      env: { PATH: process.env['PATH'], ...environmentOf(port) },
    })
    await until('the gate', () => gate.output().includes('"listening"'), 30_000)
    gate.process.kill('SIGUSR2')
    await until('a warning', () => gate.output().includes('something odd'))
    gate.process.stdout?.destroy()
    gate.process.stderr?.destroy()
    for (let turn = 0; turn < 3; turn++) {
      await ask(port, 10)
      gate.process.kill('SIGUSR2')
    }
    await delay(GIVES_UP_WITHIN)
    await ask(port, 10)
    assert.equal(await gate.stop(), 0)
  })
})
