import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { accepts } from '../support/accepts.ts'
import { startBackend, status } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { request } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { startGate } from '../support/gate.ts'
import { gateLine } from '../support/nginx.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const files = fileURLToPath(new URL('../../nginx', import.meta.url))
const nginx = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
const includes = /include \/etc\/nginx\/alta-auth\/([\w-]+\.conf);/g

/** Writes a configuration of nginx with this at http level; the folder is its prefix. */
function writeConfiguration(t: TestContext, http: string): string {
  const folder = makeTemporaryFolder(t)
  mkdirSync(join(folder, 'www'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log; ${user}
    events { }
    http { ${temporary.join(' ')} access_log off;
    ${http.replaceAll('/etc/nginx/alta-auth', join(files, 'alta-auth')).replaceAll('/var/log/nginx', folder)}
    }`,
  )
  return folder
}

function testConfiguration(t: TestContext, http: string): { accepted: boolean; said: string } {
  const folder = writeConfiguration(t, http)
  const { status, stderr } = spawnSync(nginx, ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')], {
    encoding: 'utf8',
  })
  return { accepted: status === 0 && !/\[(?:warn|emerg|error)\]/.test(stderr), said: stderr }
}

/** The example site, on other ports. */
function exampleSite(port: number): string {
  const text = readFileSync(join(files, 'examples', 'site.conf'), 'utf8')
  assert.ok(text.includes('listen 80;') && text.includes('listen [::]:80;'))
  return text
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('listen [::]:80;', `listen [::1]:${port};`)
}

describe('the shipped nginx files', () => {
  for (const flavour of ['deny', 'allow']) {
    test(`nginx accepts the example site with on-failure-${flavour}.conf, without a warning`, async (t) => {
      const site = exampleSite(await findFreePort()).replace('on-failure-deny', `on-failure-${flavour}`)
      const { accepted, said } = testConfiguration(t, site)
      assert.ok(accepted, said)
    })
  }

  test('nginx accepts the example site with the verdict cache, as its comments say', async (t) => {
    const folder = makeTemporaryFolder(t)
    const site = exampleSite(await findFreePort()).replace(
      '# include /etc/nginx/alta-auth/cache-http.conf;',
      () =>
        readFileSync(join(files, 'alta-auth', 'cache-http.conf'), 'utf8').replace(
          '/run/alta-auth-verdicts',
          join(folder, 'verdicts'),
        ),
    )
    const { accepted, said } = testConfiguration(t, site)
    assert.ok(accepted, said)
  })

  test('the example site includes each of them, but one flavour of the failure', () => {
    const included = [...exampleSite(1).matchAll(includes)].map((match) => match[1])
    const shipped = readdirSync(join(files, 'alta-auth'))
    assert.deepEqual([...new Set([...included, 'on-failure-allow.conf'])].sort(), shipped.sort())
  })

  test('several sites can include them', async (t) => {
    const site = exampleSite(await findFreePort())
    const second = exampleSite(await findFreePort())
      .replace(/include \S+http\.conf;/, '')
      .replace('on-failure-deny', 'on-failure-allow')
    const { accepted, said } = testConfiguration(t, site + second)
    assert.ok(accepted, said)
  })

  test('http.conf does no harm while nothing is protected yet', async (t) => {
    const port = await findFreePort()
    const { accepted, said } = testConfiguration(
      t,
      `include /etc/nginx/alta-auth/http.conf; server { listen 127.0.0.1:${port}; }`,
    )
    assert.ok(accepted, said)
  })

  test('a server that alone lacks server.conf lets in where its root answers; its log shows an empty verdict', async (t) => {
    const port = await findFreePort()
    const folder = writeConfiguration(
      t,
      `${exampleSite(await findFreePort())}
      server {
        listen 127.0.0.1:${port}; root www; access_log other.log alta_auth;
        location / { try_files $uri /index.html; }
        location /live/ { include /etc/nginx/alta-auth/location.conf; }
      }`,
    )
    mkdirSync(join(folder, 'www', 'live'))
    for (const file of ['index.html', 'live/1.ts']) writeFileSync(join(folder, 'www', file), file)
    startChild(t, nginx, ['-p', folder, '-c', join(folder, 'nginx.conf')])
    await until('nginx to answer', () => accepts(port))
    assert.equal((await request({ port, target: '/live/1.ts' })).body, 'live/1.ts')
    await until('the access log', () =>
      readFileSync(join(folder, 'other.log'), 'utf8').includes(' verdict= source=nginx reason= session= '),
    )
  })

  test('the example site protects /live/ and /vod/ and nothing else', async (t) => {
    const backend = await startBackend(t)
    const gate = await startGate(t, { BACKEND_URL: `${backend.url}/auth` })
    const port = await findFreePort()
    const http = readFileSync(join(files, 'alta-auth', 'http.conf'), 'utf8')
    assert.ok(http.includes(gateLine))
    const site = exampleSite(port)
      .replace(/include \S+http\.conf;/, http.replace(gateLine, `server ${gate.address} max_fails=0;`))
      .replace('root /srv/media;', 'root www;')
    const folder = writeConfiguration(t, site)
    const paths = ['/live/a/index.m3u8', '/vod/film.mp4', '/index.html']
    for (const path of paths) {
      mkdirSync(join(folder, 'www', path, '..'), { recursive: true })
      writeFileSync(join(folder, 'www', path), path)
    }
    const child = startChild(t, nginx, ['-p', folder, '-c', join(folder, 'nginx.conf')])
    const play = (target: string) => request({ port, target, host: 'Host: live.example.com' })
    await until('nginx to answer', () =>
      play('/index.html').then(
        () => true,
        () => false,
      ),
    )
    assert.equal(child.output(), '')

    backend.answer = status(403)
    assert.deepEqual(await Promise.all(paths.map(async (path) => (await play(path)).status)), [403, 403, 200])
    assert.deepEqual(
      backend.asked.map(({ headers }) => `${headers['X-Real-Origin']}${headers['X-Real-Path']}`).sort(),
      ['http://live.example.com/live/a/index.m3u8', 'http://live.example.com/vod/film.mp4'],
    )
    backend.answer = status(200)
    const answer = await play('/live/a/index.m3u8?token=1')
    assert.deepEqual([answer.status, answer.body], [200, '/live/a/index.m3u8'])
    await until('the access log to tell the verdict', () =>
      / 200 \d+ verdict=allow source=backend /.test(readFileSync(join(folder, 'live.access.log'), 'utf8')),
    )
  })
})
