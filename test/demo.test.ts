import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startChild } from './support/child.ts'
import type { Scope } from './support/scope.ts'
import { until } from './support/until.ts'

const demo = fileURLToPath(new URL('../tools/demo.mjs', import.meta.url))

/** Starts the demo as `npm run demo` does and waits until it has said what to copy. */
async function startDemo(scope: Scope) {
  const child = startChild(scope, process.execPath, [demo])
  await until('the curl lines', () => child.output().includes('Ctrl-C ends everything'), 60_000)
  const lineOf = (start: string): string => {
    const line = child
      .output()
      .split('\n')
      .find((one) => one.trimStart().startsWith(start))
    assert.ok(line !== undefined, `no line "${start}" in\n${child.output()}`)
    return line.trim().replace(/^[a-z]+: +/, '')
  }
  return { child, lineOf }
}

/** Runs a line as a person would who has copied it. */
async function run(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line])
  return stdout
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1')
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })
}

describe('npm run demo', () => {
  test('prints three lines to copy, and each shows what it says', async (t) => {
    const { child, lineOf } = await startDemo(t)
    const allowed = await run(lineOf('allowed:'))
    assert.match(allowed, /^HTTP\/1\.1 200 /)
    assert.match(allowed, /X-Auth-Reason: backend-200/)
    await until('the backend to tell whom it allowed', () =>
      /backend: allowed .*real-ua=curl/.test(child.output()),
    )
    assert.match(await run(lineOf('denied:')), /^HTTP\/1\.1 403 .*X-Auth-Reason: backend-403/s)
    const stopped = await run(lineOf('curl http'))
    assert.match(
      stopped,
      /^backend: stopped\nHTTP\/1\.1 403 .*X-Auth-Source: default\r\nX-Auth-Reason: unavailable-refused/s,
    )
  })

  test('Ctrl-C ends everything that it started', async (t) => {
    const { child, lineOf } = await startDemo(t)
    const ports = [...child.output().matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
    const [, site] = /127\.0\.0\.1:(\d+)/.exec(lineOf('allowed:')) ?? []
    assert.ok(await isOpen(Number(site)))
    // A terminal sends the signal to the whole group: here the demo itself, whose parts are in groups of their own, passes it on.
    child.process.kill('SIGTERM')
    assert.equal(await child.exited, 0)
    for (const port of new Set(ports)) assert.equal(await isOpen(port), false, `port ${port} is still open`)
  })

  test('finds another port where the usual one is taken', async (t) => {
    const squatter = createServer()
    await new Promise<void>((resolve) => {
      // Taken already is as good.
      squatter.once('error', () => resolve())
      squatter.listen(8080, '127.0.0.1', resolve)
    })
    t.after(() => void squatter.close())
    const { lineOf } = await startDemo(t)
    assert.doesNotMatch(lineOf('allowed:'), /:8080\//)
    assert.match(await run(lineOf('allowed:')), /^HTTP\/1\.1 200 /)
  })
})
