import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Directive, textOf } from '../../src/check/nginx-conf/directive.ts'
import { leadsTo, readTarget } from '../../src/check/nginx-conf/gate-addresses.ts'
import { locate } from '../../src/check/nginx-conf/locate.ts'
import { readNginxTime } from '../../src/check/nginx-conf/nginx-time.ts'
import { readDirectives } from '../../src/check/nginx-conf/read-directives.ts'
import { readDump } from '../../src/check/nginx-conf/read-dump.ts'
import { createSiteMap } from '../../src/check/nginx-conf/site-map.ts'
import { readListenAddress } from '../../src/config/values.ts'
import { accepts } from '../support/accepts.ts'
import { startChild } from '../support/child.ts'
import { request } from '../support/client.ts'
import { findFreePort } from '../support/free-port.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const nginx = existsSync('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
const read = (text: string): string[] => readDirectives(text, 'x').map(textOf)

describe("nginx's configuration is read as nginx reads it", () => {
  const cases: readonly (readonly [what: string, text: string, expected: readonly string[]])[] = [
    ['blanks and line breaks', 'a   b\n\tc ;d;', ['a b c;', 'd;']],
    ['blocks in blocks', 'a { b { c; } d e; }', ['a { b { c; } d e; }']],
    ['comments, but no # inside a word', 'a b#c; # d;\ne;', ['a b#c;', 'e;']],
    ['quotes that hide marks', `a "b;{}# c" 'd"e';`, ['a b;{}# c d"e;']],
    ['quotes with escapes', 'a "b\\"c" "\\d\\.";', ['a b"c \\d\\.;']],
    ['an empty value', 'default "";', ['default ;']],
    ['variables in braces', 'a $' + '{b}c { d; }', ['a $' + '{b}c { d; }']],
    ['a block without a blank', 'location /x{return 403;}', ['location /x { return 403; }']],
    ['Lua', 'a_by_lua_block { y = "}" -- } x\'s\n z = { [[}]] } } b;', ['a_by_lua_block {  }', 'b;']],
    ['what is not complete', 'a { b; ', ['a { b; }']],
  ]
  for (const [what, text, expected] of cases) test(what, () => assert.deepEqual(read(text), expected))

  test('lines are counted, also through quotes', () => {
    const [, second] = readDirectives('a "x\ny"\n;\n b;', 'x')
    assert.equal(second?.line, 4)
  })

  test('includes, by name and by pattern, from the folder of the main file', (t) => {
    const folder = makeTemporaryFolder(t)
    mkdirSync(join(folder, 'conf.d'))
    const files = {
      'nginx.conf': `pid ${folder}/pid; error_log ${folder}/error.log; events { }\nhttp { access_log off; include conf.d/*.conf; include ${folder}/one.conf; }`,
      'conf.d/b.conf': 'map $uri $b { default "# configuration"; }',
      'conf.d/a.conf': 'map $uri $a { default ""; }',
      'conf.d/other': 'this is no configuration',
      'one.conf': 'include two.conf;',
      'two.conf': 'map $uri $two { default 2; }\n',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const parameters = ['-T', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]
    const { status, stdout, stderr } = spawnSync(nginx, parameters, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const dump = readDump(stdout)
    assert.equal(dump.files.length, 5)
    const http = dump.directives.find(({ name }) => name === 'http')?.block ?? []
    const maps = http.filter(({ name }) => name === 'map').map(({ args }) => args[1])
    assert.deepEqual(maps, ['$a', '$b', '$two'])
    const places = http.map(({ file, line }: Directive) => `${file.replace(folder, '')}:${line}`)
    assert.deepEqual(places, ['/nginx.conf:2', '/conf.d/a.conf:1', '/conf.d/b.conf:1', '/two.conf:1'])
  })
})

test('a path is located as nginx locates it', async (t) => {
  const patterns = [
    '/',
    '/live/',
    '= /live/1.ts',
    '^~ /vod/',
    '/vod/x/',
    '~ \\.ts$',
    '~* \\.M3U8$',
    '~ ^/live/a',
    '/pack { return 200 /pack; location ~ \\.mpd$ { return 200 inner; } location /pack/deep/ { return 200 deep; } }',
  ]
  const server = patterns
    .map((one, index) => (one.includes('{') ? `location ${one}` : `location ${one} { return 200 ${index}; }`))
    .join('\n')
  const port = await findFreePort()
  const folder = makeTemporaryFolder(t)
  const configuration = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events { }
http { access_log off; server { listen 127.0.0.1:${port}; ${server} } }`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration)
  const child = startChild(t, nginx, ['-p', folder, '-c', file, '-e', join(folder, 'error.log')])
  await until('nginx to listen', () => accepts(port)).catch(() => assert.fail(child.output()))
  const [site] = createSiteMap(readDirectives(configuration, file)).servers
  const folders = ['/', '/live/', '/live/a/', '/vod/', '/vod/x/', '/pack/', '/pack/deep/']
  const names = ['', '1.ts', 'i.m3u8', 'i.M3U8', 'm.mpd', 'x']
  for (const path of folders.flatMap((one) => names.map((name) => `${one}${name}`))) {
    const { body } = await request({ port, target: path })
    const found = locate(site?.locations ?? [], path)
    assert.equal(found?.directives.find(({ name }) => name === 'return')?.args[1], body, path)
  }
})

describe('addresses and times', () => {
  test('times as nginx writes them', () => {
    const times = {
      '3s': 3000,
      '500ms': 500,
      '60': 60_000,
      '1m30s': 90_000,
      '2h': 7_200_000,
      soon: undefined,
      '': undefined,
    }
    for (const [text, expected] of Object.entries(times)) assert.equal(readNginxTime(text), expected, text)
  })

  const pairs: readonly (readonly [asked: string, listening: string, expected: boolean])[] = [
    ['127.0.0.1:9180', '127.0.0.1:9180', true],
    ['127.0.0.1:9181', '127.0.0.1:9180', false],
    ['localhost:9180', '127.0.0.1:9180', true],
    ['[::1]:9180', 'localhost:9180', true],
    ['[::1]:9180', '127.0.0.1:9180', false],
    ['gate:9180', '0.0.0.0:9180', true],
    ['192.0.2.1:9180', '127.0.0.1:9180', false],
    ['unix:/run/a.sock', 'unix:/run/a.sock', true],
    ['unix:/run/a.sock', 'unix:/run/b.sock', false],
    ['unix:/run/a.sock', '127.0.0.1:9180', false],
  ]
  for (const [asked, listening, expected] of pairs) {
    test(`${asked} ${expected ? 'leads' : 'does not lead'} to LISTEN=${listening}`, () => {
      const target = readTarget(asked)
      assert.ok(target !== undefined)
      assert.equal(leadsTo(target, readListenAddress(listening)), expected)
    })
  }
})
