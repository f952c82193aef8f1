import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { accepts } from '../support/accepts.ts'
import { openDemoTab } from '../support/demo-in-browser.ts'
import type { DemoTab } from '../support/demo-tab.ts'
import { countColours, sizeOfPng } from '../support/look-at-picture.ts'
import { forSuite } from '../support/scope.ts'
import { adminOf, portsOf, startDemo } from '../support/started-demo.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const committed = fileURLToPath(new URL('../../docs/pictures/demo.png', import.meta.url))
/** The picture of the README, in pixels and bytes. */
const SIZE = { width: 1200, height: 750 } as const
const MOST_BYTES = 250_000

/** Runs a line as a person would who has copied it. */
async function run(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line])
  return stdout
}

/** The demo from its start to its end, and its page. */
export function pageOfDemo(shared: { readonly browser: Browser }): void {
  describe('npm run demo', { concurrency: 1 }, () => {
    const demo = forSuite((scope) => startDemo(scope, undefined, { detached: true }))

    test('says where the page is, then three lines to copy, and each shows what it says', async () => {
      const { child, url, lineOf } = demo
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

    /** The picture at this moment; kept for the README where that is asked for. */
    const takePicture = async (t: TestContext, { page }: DemoTab): Promise<void> => {
      const file = process.env['MAKE_PICTURES'] === '1' ? committed : join(makeTemporaryFolder(t), 'demo.png')
      const png = await page.screenshot()
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, png)
      const blank = await (await shared.browser.newContext()).newPage()
      t.after(() => blank.context().close())
      const video = await page.locator('video').boundingBox()
      const table = await page.locator('table').boundingBox()
      assert.ok(video !== null && table !== null)
      for (const { x, y, width, height } of [video, table]) {
        const area = {
          x: Math.ceil(x),
          y: Math.ceil(y),
          width: Math.floor(width),
          height: Math.floor(height),
        }
        assert.ok((await countColours(blank, png, area)) > 100, 'blank')
      }
      assert.deepEqual(sizeOfPng(png), [SIZE.width, SIZE.height])
      assert.ok(png.length < MOST_BYTES, `${png.length} bytes`)
    }

    test('while the backend is stopped, who plays goes on, and a new viewer gets the default action', async (t) => {
      const tab = await openDemoTab(t, shared.browser, demo, { viewport: SIZE })
      await tab.playOn(1)
      await tab.decided(/allow backend backend-200 .* \/live\/test\/index\.m3u8/)
      await tab.choose('wrong token')
      await tab.press('Another viewer')
      await tab.reads('#newcomer-said', /wrong token: 403, the backend said no \(403\)/)
      await tab.decided(/deny backend backend-403/)

      await tab.reads('#backend-state', /^running$/)
      await tab.press('Stop the backend')
      await tab.reads('#backend-state', /^stopped$/)
      const stoppedAt = await tab.played()
      await tab.choose('valid token')
      await tab.press('Another viewer')
      await tab.reads('#newcomer-said', /valid token: 403, the backend is down, default action: deny/)
      await tab.decided(/deny default unavailable-refused/)
      // The re-check of the playing viewer has failed: that is why the known verdict holds.
      await tab.decided(/allow stale unavailable-refused .*\d+ requests/)
      await tab.reads('#status', /^Playing/)
      await takePicture(t, tab)
      await tab.playOn(Math.max(1, stoppedAt + 3 - (await tab.played())))

      await tab.press('Start it again')
      await tab.reads('#backend-state', /^running$/)
      await tab.press('Another viewer')
      await tab.reads('#newcomer-said', /valid token: 200, the backend said yes/)
      await tab.choose('wrong token')
      await tab.press('Another viewer')
      await tab.reads('#newcomer-said', /wrong token: 403, the backend said no/)
      await tab.playOn(1)
    })

    test('Ctrl-C ends everything that it started', async () => {
      const { child } = demo
      const ports = portsOf(child.output())
      for (const port of ports) assert.equal(await accepts(port), true, `port ${port} is not open`)
      // A terminal sends the signal to the whole process group of the command. What the demo has started has
      // groups of its own.
      process.kill(-(child.process.pid ?? assert.fail()), 'SIGINT')
      assert.equal(await child.exited, 0)
      assert.match(child.output(), /\nending …\n/)
      for (const port of ports) assert.equal(await accepts(port), false, `port ${port} is still open`)
    })

    test('the picture of the README is the size that it should be', () => {
      const png = readFileSync(committed)
      assert.deepEqual(sizeOfPng(png), [SIZE.width, SIZE.height])
      assert.ok(png.length < MOST_BYTES)
    })
  })
}
