import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { request } from '../support/client.ts'
import { curl } from '../support/curl.ts'
import { findFreePort } from '../support/free-port.ts'
import { suiteScope } from '../support/scope.ts'
import { newViewer, type Site, startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'
import { until } from '../support/until.ts'
import { untilLogged } from '../support/until-logged.ts'

const files = { '/live/index.m3u8': '#EXTM3U\n', '/live/1.ts': 'G' }
const versions = ['1.1', '2', '3'] as const
const playlist = '/live/index.m3u8?token=good'
const segment = '/live/1.ts'

for (const verdictCache of [false, true]) {
  describe(`over HTTP/3 ${verdictCache ? 'with the verdict cache' : 'without a cache'}`, () => {
    const scope = suiteScope()
    let site: Site
    /** Another port of the same site. */
    let second: number
    before(async () => {
      second = await findFreePort()
      const server = `listen 127.0.0.1:${second} quic; listen 127.0.0.1:${second} ssl; location / { LOCATION }`
      site = await startSite(scope, { nginx: { http3: true, verdictCache, files, server } })
      site.backend.answer = hasToken('good')
    })
    const ask = async (
      version: (typeof versions)[number],
      viewer: string,
      target: string,
      host = 'localhost',
      more: readonly string[] = [],
    ) => {
      const url = `https://${host}:${site.nginx.tlsPort}${target}`
      const answer = await curl(version, url, [
        '-4',
        '-A',
        viewer,
        '--resolve',
        `*:${site.nginx.tlsPort}:127.0.0.1`,
        ...more,
      ])
      assert.equal(answer.version, version)
      return answer.status
    }
    const originOf = (viewer: string): string =>
      site.backend.asked.findLast(({ headers }) => headers['X-Real-Ua'] === viewer)?.headers[
        'X-Real-Origin'
      ] ?? ''

    test('the origin has the port, as over the other versions', async () => {
      for (const version of versions) {
        const viewer = newViewer()
        assert.equal(await ask(version, viewer, playlist), 200)
        assert.equal(originOf(viewer), `https://localhost:${site.nginx.tlsPort}`, `HTTP/${version}`)
      }
    })

    test('a viewer may change the version at any time', async () => {
      for (const first of versions) {
        for (const then of versions) {
          const viewer = newViewer()
          for (let turn = 0; turn < 2; turn++) {
            assert.equal(await ask(first, viewer, playlist), 200)
            assert.equal(await ask(then, viewer, segment), 200, `${first}, then ${then}`)
          }
        }
      }
    })

    test('a viewer of one host rides on nothing at another', async () => {
      const viewer = newViewer()
      assert.equal(await ask('3', viewer, playlist), 200)
      for (let turn = 0; turn < 2; turn++) assert.equal(await ask('3', viewer, segment), 200)
      assert.equal(await ask('3', viewer, segment, 'other.example.com'), 403)
      assert.equal(originOf(viewer), `https://other.example.com:${site.nginx.tlsPort}`)
    })

    test('a viewer of one port rides on nothing at another', async () => {
      const viewer = newViewer()
      const at = (port: number, target: string) =>
        curl('3', `https://localhost:${port}${target}`, ['-4', '-A', viewer])
      assert.equal((await at(site.nginx.tlsPort, playlist)).status, 200)
      for (let turn = 0; turn < 2; turn++) assert.equal((await at(site.nginx.tlsPort, segment)).status, 200)
      assert.equal((await at(second, segment)).status, 403)
      assert.equal(originOf(viewer), `https://localhost:${second}`)
    })

    test('nobody chooses the port: it is the one that was asked', async () => {
      for (const host of ['localhost:1', 'localhost:443', 'localhost:65536', 'localhost']) {
        const viewer = newViewer()
        assert.equal(await ask('3', viewer, playlist, 'localhost', ['-H', `Host: ${host}`]), 200)
        assert.equal(originOf(viewer), `https://localhost:${site.nginx.tlsPort}`, host)
      }
    })

    test('control bytes are refused by nginx, as over the other versions', async () => {
      for (const [target, agent] of [
        ['/live/%0d%0aindex.m3u8?token=good', newViewer()],
        [playlist, `${newViewer()}\x01`],
      ] as const) {
        assert.equal(await ask('3', agent, target), 403)
        assert.equal(originOf(agent), '')
      }
      await untilLogged(site.nginx, / 403 \d+ verdict=deny source=nginx reason=control-bytes /)
    })

    test('over TCP nobody comes to these lines: without a Host there is no port, and HTTP/3.0 is refused', async () => {
      for (const tls of [false, true]) {
        const port = tls ? site.nginx.tlsPort : site.nginx.port
        const viewer = newViewer()
        const headers = [`User-Agent: ${viewer}`]
        const one = { port, tls, target: playlist, headers }
        assert.equal((await request({ ...one, version: 'HTTP/1.0', host: '' })).status, 200)
        assert.equal(originOf(viewer), `${tls ? 'https' : 'http'}://localhost`)
        for (const host of ['', 'Host:', 'Host: localhost'])
          assert.notEqual((await request({ ...one, version: 'HTTP/3.0', host })).status, 200)
      }
    })

    test('the port that https:// means by itself is not written', async () => {
      const file = join(site.nginx.snippets, 'http.conf')
      const text = readFileSync(file, 'utf8')
      assert.ok(text.includes('"HTTP/3.0:443"'))
      writeFileSync(file, text.replace('"HTTP/3.0:443"', `"HTTP/3.0:${site.nginx.tlsPort}"`))
      process.kill(site.nginx.child.process.pid ?? 0, 'SIGHUP')
      // A QUIC connection to a worker that is leaving gets no answer.
      const isReloaded = async (): Promise<boolean> => {
        const viewer = newViewer()
        const options = ['-4', '--max-time', '2', '-A', viewer]
        await curl('3', `https://localhost:${site.nginx.tlsPort}${playlist}`, options).catch(() => {})
        return originOf(viewer) === 'https://localhost'
      }
      await until('the reload', isReloaded, 30_000)
    })
  })
}
