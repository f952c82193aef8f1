import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { checkCookie } from '../../src/check/cookie/check-cookie.ts'
import { createAddressesOf } from '../../src/check/cookie/create-addresses-of.ts'
import { readDirectives } from '../../src/check/nginx-conf/read-directives.ts'
import { readShipped } from '../../src/check/nginx-conf/shipped.ts'
import { createSiteMap } from '../../src/check/nginx-conf/site-map.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import { channelFiles } from '../support/channel-files.ts'
import { checkSite, flawsOf, startCheckedSite, textOf } from '../support/checked-site.ts'
import type { Edit } from '../support/configured-nginx.ts'
import { cookieIn, createCookiePlayer } from '../support/cookie-player.ts'
import { forSuite, type Scope } from '../support/scope.ts'
import { startSite } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

const location = 'include /etc/nginx/alta-auth/location.conf;'
const cookie = 'include /etc/nginx/alta-auth/cookie.conf;'
const on = { SESSION_COOKIE: 'on' } as const
const inLive = (lines: string): Edit => ['site.conf', location, lines]
const inServer = (lines: string): Edit => [
  'site.conf',
  '    root /srv/media;',
  `    root /srv/media;\n${lines}`,
]
const inHttp = (lines: string): Edit => ['site.conf', 'server {\n', `${lines}\nserver {\n`]
const noHeader: Edit = ['site.conf', 'add_header Cache-Control no-cache;', '']
const withCookie = inLive(`${location} ${cookie}`)

interface Broken {
  readonly what: string
  readonly edits: readonly Edit[]
  readonly settings?: Environment
  readonly result?: 'failed' | 'warning'
  readonly says: RegExp
}

const broken: readonly Broken[] = [
  {
    what: 'a nested location without cookie.conf',
    edits: [inLive(`${location} ${cookie} location ~ \\.m4s$ { ${location} add_header X-Mine 1; }`)],
    says: /~ \\\.m4s\$ \(site\.conf:\d+\) lies in location \/live\/ .*, but does not include cookie\.conf.*\ninclude cookie\.conf in it/,
  },
  {
    what: 'an if with a header of its own',
    edits: [inLive(`${location} ${cookie} if ($http_origin) { add_header X-Mine 1; }`)],
    says: /the if of site\.conf:\d+ has add_header lines of its own.*sets no cookie\ntake its add_header out/,
  },
  {
    what: 'an if that is true for playlists',
    edits: [inLive(`${location} ${cookie} if ($uri ~ \\.m3u8$) { add_header X-Mine 1; }`)],
    says: /the if of site\.conf:\d+ has add_header/,
  },
  {
    what: 'headers of the server that are lost',
    edits: [
      withCookie,
      noHeader,
      inServer('add_header Strict-Transport-Security max-age=60; add_header Alt-Svc \'h3=":443"\';'),
    ],
    says: /^location \/live\/ \(site\.conf:\d+\): answers lose Strict-Transport-Security \(site\.conf:\d+\), Alt-Svc \(site\.conf:\d+\), because cookie\.conf.*\nrepeat them beside the include/,
  },
  {
    what: 'headers of http that are lost in a location with cors.conf, too',
    edits: [
      inLive(`${location} ${cookie} include /etc/nginx/alta-auth/cors.conf;`),
      noHeader,
      inHttp('add_header X-Mine 1; map $http_origin $alta_auth_cors_origin { default ""; }'),
    ],
    says: /answers lose X-Mine /,
  },
  {
    what: 'cookie.conf before location.conf',
    edits: [inLive(`${cookie} ${location}`)],
    result: 'failed',
    says: /location \/live\/ .* includes cookie\.conf before location\.conf.*\ninclude cookie\.conf behind location\.conf/,
  },
  {
    what: 'cookie.conf in an open location',
    edits: [withCookie, inServer(`location /other/ { ${cookie} }`)],
    result: 'failed',
    says: /location \/other\/ .* includes cookie\.conf, but not location\.conf/,
  },
  {
    what: 'cookie.conf at server level',
    edits: [inServer(cookie)],
    result: 'failed',
    says: /cookie\.conf is included in server live\.example\.com .* itself/,
  },
  {
    what: 'lines of cookie.conf by hand',
    edits: [withCookie, ['cookie.conf', 'auth_request_set $alta_auth_new $alta_auth_kept;', '']],
    says: /has not all lines of cookie\.conf: auth_request_set \$alta_auth_new/,
  },
  {
    what: 'SESSION_COOKIE=on without cookie.conf',
    edits: [],
    says: /^SESSION_COOKIE=on, but no location includes cookie\.conf.*\ninclude cookie\.conf behind/,
  },
  {
    what: 'SESSION_COOKIE=strict without cookie.conf',
    edits: [],
    settings: { SESSION_COOKIE: 'strict' },
    result: 'failed',
    says: /^SESSION_COOKIE=strict, but no location .* rides on their session/,
  },
  {
    what: 'a map of modes without cookie.conf',
    edits: [inHttp('map $http_user_agent $alta_auth_cookie_mode { default ""; "~Mozilla" strict; }')],
    settings: {},
    says: /^site\.conf:\d+ gives \$alta_auth_cookie_mode a value, but no location/,
  },
  {
    what: 'cookie.conf with SESSION_COOKIE=off',
    edits: [withCookie],
    settings: {},
    says: /^location \/live\/ .* includes cookie\.conf, but SESSION_COOKIE=off: it sets no cookie\nSESSION_COOKIE=on, or/,
  },
  {
    what: 'cookie.conf with a map of modes that only says off',
    edits: [withCookie, inHttp('map $http_user_agent $alta_auth_cookie_mode { default ""; "~MAG" off; }')],
    settings: { SESSION_COOKIE: 'off' },
    says: /SESSION_COOKIE=off: it sets no cookie/,
  },
  {
    what: 'a mode that the gate does not know',
    edits: [
      withCookie,
      inHttp('map $http_user_agent $alta_auth_cookie_mode { volatile; default ""; "~Mozilla" Strict; }'),
    ],
    result: 'failed',
    says: /^site\.conf:\d+ gives \$alta_auth_cookie_mode the value Strict, which is none.*\nwrite off, on or strict/,
  },
  {
    what: 'a mode of a geo, and one of a set, that the gate does not know',
    edits: [
      inLive(`${location} ${cookie} set $alta_auth_cookie_mode yes;`),
      inHttp('geo $alta_auth_cookie_mode { default on; proxy 127.0.0.3; 127.0.0.1 off; }'),
    ],
    result: 'failed',
    says: /the value yes/,
  },
]

describe('check finds of session cookies', () => {
  for (const { what, edits, settings = on, result = 'warning', says } of broken) {
    test(what, async (t) => {
      const { environment } = await startCheckedSite(t, { settings, nginx: { edits } })
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), [`${result} nginx-cookie`], JSON.stringify(findings, null, 1))
      assert.match(textOf(findings, 'nginx-cookie'), says)
    })
  }

  for (const [what, edits, says] of [
    [
      'cookie.conf in an if',
      [inLive(`${location} ${cookie} if ($http_origin) { ${cookie} }`)],
      /not allowed here in \S*cookie\.conf.*\ninclude cookie\.conf in the location itself/,
    ],
    [
      'an http.conf from before the cookie',
      [withCookie, ['http.conf', 'map $upstream_http_x_session_cookie $alta_auth_kept', 'map $uri $x']],
      /"alta_auth_kept" variable.*\ncopy http\.conf and server\.conf of this version/,
    ],
  ] as const satisfies readonly (readonly [string, readonly Edit[], RegExp])[]) {
    test(`${what}, at which nginx does not start`, async (t) => {
      const { environment } = await startCheckedSite(t, { settings: on, nginx: { edits } })
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), ['failed nginx'])
      assert.match(textOf(findings, 'nginx'), says)
    })
  }
})

test('add_header_inherit merge loses no header', () => {
  const found = (rule: string): readonly string[] => {
    const text = `add_header X-Mine 1; location = /_alta_auth { } location /live/ {
      ${rule} ${location} ${cookie} if ($http_origin) { add_header X-Other 1; } }`
    const expand = (lines: string): string =>
      lines.replaceAll(
        /include \/etc\/nginx\/alta-auth\/(location|cookie)\.conf;/g,
        (_all, name: 'location' | 'cookie') =>
          readShipped(`${name}.conf`)
            .map((line) => `${line.name} ${line.args.map((arg) => `"${arg}"`).join(' ')};`)
            .join(' '),
      )
    const map = createSiteMap(readDirectives(`http { server { ${expand(text)} } }`, 'site.conf'))
    return checkCookie(map, { sessionCookie: 'on', twoFamilies: [] }).map(({ result }) => result)
  }
  assert.deepEqual(found(''), ['warning', 'warning'])
  assert.deepEqual(found('add_header_inherit merge;'), ['ok'])
})

describe('the cookie comes and does not come as check says, where', () => {
  const server = `
    location /lost/if/ { LOCATION COOKIE if ($arg_token) { add_header X-Mine 1; } }
    location /kept/if/ { LOCATION COOKIE if ($arg_token) { set $mine 1; } }
    location /lost/named/ { LOCATION COOKIE try_files /none @bare; }
    location /kept/named/ { LOCATION COOKIE try_files /none @cookie; }
    location /lost/page/ { LOCATION COOKIE error_page 404 = @bare; }
    location @bare { try_files /live/one/index.m3u8 =404; }
    location @cookie { COOKIE try_files /live/one/index.m3u8 =404; }
    location /lost/order/ { COOKIE LOCATION }
    location /lost/nested/ { LOCATION COOKIE location ~ \\.m3u8$ { LOCATION } }
    location /kept/nested/ { LOCATION COOKIE location ~ \\.m3u8$ { LOCATION COOKIE } }
    location /kept/beside/ { LOCATION COOKIE add_header X-Mine 1; }`
  const paths = ['lost/if', 'kept/if', 'lost/named', 'kept/named', 'lost/order', 'lost/nested', 'kept/nested']
  const files = Object.fromEntries(
    [...paths, 'kept/beside'].map((path) => [`/${path}/index.m3u8`, '#EXTM3U\n']),
  )
  const site = forSuite(async (scope) => {
    const started = await startSite(scope, {
      environment: { SESSION_COOKIE: 'on' },
      nginx: { server, files: { ...channelFiles(['one'], 1), ...files } },
    })
    started.backend.answer = hasToken('good')
    return started
  })
  for (const path of [...paths, 'kept/beside', 'lost/page']) {
    test(path, async (t) => {
      const player = createCookiePlayer(t, site.nginx)
      const answer = await player.fetch(`/${path}/index.m3u8?token=good`)
      assert.equal(answer.status, 200)
      assert.equal(cookieIn(answer) !== undefined, path.startsWith('kept'))
    })
  }
})

describe('of a site with addresses of both families and no cookie, check', () => {
  const both = ['192.0.2.1', '2001:db8::1']
  const sites = (listens: string): string => `include /etc/nginx/alta-auth/http.conf;
    server { ${listens} server_name _ localhost tv.example.org *.example.org; access_log off;
      include /etc/nginx/alta-auth/server.conf; include /etc/nginx/alta-auth/on-failure-deny.conf;
      location /live/ { ${location} } }`
  const dual = 'listen 39995; listen [::]:39995;'

  async function findingsWith(
    scope: Scope,
    site: string,
    addresses: readonly string[],
    settings: Environment = {},
  ): Promise<{ flaws: readonly string[]; said: string; asked: readonly string[] }> {
    const asked: string[] = []
    const { environment } = await startCheckedSite(scope, { settings, nginx: { site } })
    const findings = await checkSite(environment, 0, undefined, (host) => {
      asked.push(host)
      return Promise.resolve(addresses)
    })
    return { flaws: flawsOf(findings), said: textOf(findings, 'nginx-cookie'), asked }
  }

  test('warns, and asks DNS about its host names alone', async (t) => {
    const { flaws, said, asked } = await findingsWith(t, sites(dual), both)
    assert.deepEqual(flaws, ['warning nginx-cookie'])
    assert.match(
      said,
      /^tv\.example\.org has addresses of IPv4 and of IPv6, and no session cookie: .*refused\n/,
    )
    assert.match(said, /\nSESSION_COOKIE=on, .*SESSION_COOKIE=off, so that this is no warning$/)
    assert.deepEqual(asked, ['tv.example.org'])
  })

  test('warns where a proxy in front tells the addresses', async (t) => {
    const site = sites('listen 127.0.0.1:39995; set_real_ip_from 192.0.2.9; real_ip_header X-Real-IP;')
    assert.deepEqual((await findingsWith(t, site, both)).flaws, ['warning nginx-cookie'])
  })

  const silent: readonly (readonly [string, string, readonly string[], Environment?])[] = [
    ['where the name has only IPv4', sites(dual), ['192.0.2.1', '192.0.2.2']],
    ['where IPv6 is an invention of the resolver', sites(dual), ['192.0.2.1', '64:ff9b::c000:201']],
    ['where DNS knows nothing', sites(dual), []],
    ['where nginx listens on IPv4 alone', sites('listen 39995;'), both],
    ['where the operator has said off', sites(dual), both, { SESSION_COOKIE: 'off' }],
  ]
  for (const [what, site, addresses, settings] of silent) {
    test(`is silent ${what}`, async (t) => {
      const { flaws, said } = await findingsWith(t, site, addresses, settings)
      assert.deepEqual(flaws, [], said)
    })
  }

  test('says once that the cookie is off, where a location of the server has it', async (t) => {
    const site = sites(`${dual} location /vod/ { ${location} ${cookie} }`)
    const { flaws, said } = await findingsWith(t, site, both)
    assert.deepEqual(flaws, ['warning nginx-cookie'])
    assert.match(said, /includes cookie\.conf, but SESSION_COOKIE=off/)
  })
})

describe('DNS about a site', () => {
  /** A server of DNS on this machine. `answer` gives an answer to a question, or none. */
  async function startDns(scope: Scope, answer: (question: Buffer) => Buffer | undefined): Promise<string> {
    const socket = createSocket('udp4')
    scope.after(() => void socket.close())
    socket.on('message', (question, { port, address }) => {
      const said = answer(question)
      if (said !== undefined) socket.send(said, port, address)
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return `127.0.0.1:${socket.address().port}`
  }

  /** One address of the family that was asked about. */
  function addressFor(question: Buffer): Buffer {
    // The name ends with an empty label; its type follows.
    const end = question.indexOf(0, 12) + 1
    const isIpv6 = question.readUInt16BE(end) === 28
    const address = isIpv6
      ? Buffer.from('20010db8000000000000000000000001', 'hex')
      : Buffer.from([192, 0, 2, 1])
    const counts = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
    const head = Buffer.from([0xc0, 0x0c, 0, isIpv6 ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, address.length])
    return Buffer.concat([question.subarray(0, 2), counts, question.subarray(12, end + 4), head, address])
  }

  test('is asked for both families', async (t) => {
    const server = await startDns(t, addressFor)
    assert.deepEqual(await createAddressesOf(5_000, [server])('tv.alta-auth-check.net'), [
      '192.0.2.1',
      '2001:db8::1',
    ])
  })

  test('that is silent costs no more than its deadline', async (t) => {
    const server = await startDns(t, () => undefined)
    const began = performance.now()
    assert.deepEqual(await createAddressesOf(100, [server])('tv.alta-auth-check.net'), [])
    assert.ok(performance.now() - began < 5_000)
  })

  test('is not asked about names that are in none', async (t) => {
    let asked = 0
    const server = await startDns(t, (question) => {
      asked++
      return addressFor(question)
    })
    for (const host of ['live.example.com', 'tv.example', 'box.local', 'tv.home.arpa', 'a.test'])
      assert.deepEqual(await createAddressesOf(1_000, [server])(host), [], host)
    assert.equal(asked, 0)
  })
})
