import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ReadKernel } from '../../src/check/nginx/check-kernel.ts'
import type { Environment } from '../../src/config/read-settings.ts'
import { checkSite, flawsOf, startCheckedSite, textOf } from '../support/checked-site.ts'
import type { ConfiguredOptions, Edit } from '../support/configured-nginx.ts'
import { readPages } from '../support/documentation/pages.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

interface Broken {
  readonly what: string
  readonly edits?: readonly Edit[]
  readonly nginx?: Partial<ConfiguredOptions>
  readonly settings?: Environment
  /** `failed nginx-log`; exactly these, and no other check finds a flaw. */
  readonly found: readonly string[]
  /** What the first of them says, or its remedy. */
  readonly says: RegExp
}

const live = `    location /live/ {
        include /etc/nginx/alta-auth/location.conf;`
const inLive = (lines: string): Edit => ['site.conf', live, `    location /live/ {\n        ${lines}`]
const inServer = (lines: string): Edit => [
  'site.conf',
  '    root /srv/media;',
  `    root /srv/media;\n    ${lines}`,
]
const include = 'include /etc/nginx/alta-auth/location.conf;'
const noServer: Edit = ['site.conf', '    include /etc/nginx/alta-auth/server.conf;\n', '']
/** Another site of this machine, as it should be. */
const elsewhere: Edit = [
  'site.conf',
  'server {\n',
  `server {
    listen 127.0.0.1:39996;
    include /etc/nginx/alta-auth/server.conf;
    include /etc/nginx/alta-auth/on-failure-deny.conf;
    access_log /var/log/nginx/other.access.log alta_auth;
    location / {
        include /etc/nginx/alta-auth/location.conf;
    }
}
server {\n`,
]
const onFailureLine = '    include /etc/nginx/alta-auth/on-failure-deny.conf;\n'
const logLine = '    access_log /var/log/nginx/live.access.log alta_auth;'
const withCache = { verdictCache: true } as const

const broken: readonly Broken[] = [
  {
    what: 'a typing error',
    edits: [inServer('loction /x/ { }')],
    found: ['failed nginx'],
    says: /unknown directive "loction" in .*site\.conf/,
  },
  {
    what: 'what nginx itself only warns of',
    edits: [
      [
        'site.conf',
        'server {\n',
        'server { listen 39997; server_name a; }\nserver { listen 39997; server_name a; }\nserver {\n',
      ],
    ],
    found: ['warning nginx'],
    says: /^nginx warns: conflicting server name "a"/,
  },
  {
    what: 'two on-failure files in one server',
    edits: [inServer('include /etc/nginx/alta-auth/on-failure-allow.conf;')],
    found: ['failed nginx-on-failure'],
    says: /two on-failure files.*\ninclude exactly one/,
  },
  {
    what: 'http.conf is not included',
    edits: [['site.conf', 'include /etc/nginx/alta-auth/http.conf;', '']],
    found: ['failed nginx'],
    says: /\ninclude http\.conf at http level/,
  },
  {
    what: 'cache-server.conf of an older version, which is not there any more',
    nginx: withCache,
    edits: [['site.conf', 'alta-auth/server.conf', 'alta-auth/cache-server.conf']],
    found: ['failed nginx'],
    says: /\ninclude server\.conf in place of cache-server\.conf/,
  },
  {
    what: 'nothing of alta-auth at all',
    edits: [
      ['site.conf', 'include /etc/nginx/alta-auth/http.conf;', ''],
      noServer,
      ['site.conf', onFailureLine, ''],
      ['site.conf', include, ''],
      ['site.conf', include, ''],
      ['site.conf', logLine, ''],
    ],
    found: ['failed nginx-includes'],
    says: /includes nothing of alta-auth: it serves everything openly/,
  },
  {
    what: 'only http.conf',
    edits: [
      noServer,
      ['site.conf', onFailureLine, ''],
      ['site.conf', include, ''],
      ['site.conf', include, ''],
    ],
    found: ['failed nginx-includes', 'failed nginx-locations'],
    says: /no server asks the gate/,
  },
  {
    what: 'server.conf is included in no server',
    edits: [noServer],
    found: ['failed nginx'],
    says: /unknown "alta_auth_server_conf" variable.*\ninclude server\.conf .*: it is in none/,
  },
  {
    what: 'cors.conf without a map of origins',
    edits: [
      ['site.conf', '# include /etc/nginx/alta-auth/cors.conf;', 'include /etc/nginx/alta-auth/cors.conf;'],
    ],
    found: ['failed nginx'],
    says: /unknown "alta_auth_cors_origin" variable\n?.*\ncors\.conf is included: write the map/,
  },
  {
    what: 'server.conf is included, but not where locations are protected',
    edits: [noServer, elsewhere],
    found: ['failed nginx-includes'],
    says: /asks \/_alta_auth, but server\.conf is not included/,
  },
  {
    what: 'server.conf without its guard and its headers',
    edits: [['server.conf', 'proxy_pass_request_headers off;', '']],
    found: ['failed nginx-includes'],
    says: /not as in server\.conf: proxy_pass_request_headers off/,
  },
  {
    what: 'an http.conf of another version',
    edits: [['http.conf', '$scheme://$host$alta_auth_port', '$scheme://$http_host']],
    found: ['warning nginx-includes'],
    says: /\$alta_auth_origin/,
  },
  {
    what: 'no location is protected',
    edits: [
      ['site.conf', include, ''],
      ['site.conf', include, ''],
    ],
    found: ['failed nginx-locations'],
    says: /no location is protected: everything is open/,
  },
  {
    what: 'auth_request by hand',
    edits: [inLive('auth_request /_alta_auth;')],
    found: ['failed nginx-locations'],
    says: /lines of its own, which do not tell the path: everybody is refused/,
  },
  {
    what: 'location.conf at server level',
    edits: [
      inServer(include),
      ['site.conf', live, '    location /live/ {'],
      ['site.conf', `\n        ${include}`, ''],
    ],
    found: ['failed nginx-locations'],
    says: /location\.conf is included in server live\.example\.com/,
  },
  {
    what: 'a nested location without the include',
    edits: [inLive(`${include} location ~ \\.ts$ { expires 1h; }`)],
    found: ['failed nginx-locations'],
    says: /~ \\\.ts\$ .* protected by the location around it, but without a path/,
  },
  {
    what: 'a regular expression that takes the segments away',
    edits: [inServer('location ~* \\.(?:ts|m4s)$ { expires 1h; }')],
    found: ['failed nginx-locations'],
    says: /serves \/live\/…\/1\.ts without asking/,
  },
  {
    what: 'an open location that sounds like media',
    edits: [inServer('location /hls/ { }')],
    found: ['warning nginx-locations'],
    says: /\/hls\/ .* sounds like media, but is open/,
  },
  {
    what: 'a return in a protected location',
    edits: [inLive(`${include} return 204;`)],
    found: ['warning nginx-locations'],
    says: /holds a return/,
  },
  {
    what: 'satisfy any of the server',
    edits: [inServer('satisfy any;'), inLive(`${include} satisfy all;`)],
    found: ['warning nginx-locations'],
    says: /location \/vod\/ .*inherits "satisfy any": an address that allow names/,
  },
  {
    what: 'satisfy any of a location around a protected one',
    edits: [inLive(`${include} satisfy any; location /live/x/ { ${include} }`)],
    found: ['warning nginx-locations'],
    says: /location \/live\/x\/ /,
  },
  {
    what: 'merge_slashes off, whether of the server or of http',
    edits: [['site.conf', 'server {\n', 'merge_slashes off;\nserver {\n']],
    found: ['warning nginx-locations'],
    says: /server live\.example\.com .*"merge_slashes off"/,
  },
  {
    what: 'no on-failure file',
    edits: [['site.conf', onFailureLine, '']],
    found: ['failed nginx-on-failure'],
    says: /every viewer gets 500\ninclude on-failure-deny\.conf/,
  },
  {
    what: 'the other on-failure file than DEFAULT_ACTION',
    nginx: { onFailure: 'allow' },
    found: ['warning nginx-on-failure'],
    says: /DEFAULT_ACTION=deny, but without the gate viewers are let in/,
  },
  {
    what: 'an old server.conf, under whose on-failure-allow an nginx without connections lets in',
    nginx: { onFailure: 'allow' },
    settings: { DEFAULT_ACTION: 'allow' },
    edits: [['server.conf', 'error_page 502 504 =', 'error_page 500 502 503 504 =']],
    found: ['failed nginx-on-failure'],
    says: /^server\.conf:\d+: 500 and 503 lead to the on-failure file.*bad tokens get in.*\ncopy server\.conf/,
  },
  {
    what: 'a cache-server.conf of an older version, which is still there',
    nginx: withCache,
    edits: [
      ['server.conf', 'auth_request_set $alta_auth_verdict_zone "";', ''],
      ['server.conf', 'auth_request_set $alta_auth_place        "";', ''],
      ['server.conf', 'auth_request_set $alta_auth_query        "";', ''],
      ['server.conf', '$alta_auth_verdict_zone;', 'alta_auth;'],
    ],
    found: ['warning nginx-includes'],
    says: /auth_request_set \$alta_auth_verdict_zone.*\ncopy the files of this version again, and include server\.conf/,
  },
  {
    what: 'an old server.conf with on-failure-deny',
    edits: [['server.conf', 'error_page 502 504 =', 'error_page 500 502 503 504 =']],
    found: ['warning nginx-on-failure'],
    says: /500 and 503 lead to the on-failure file/,
  },
  {
    what: 'an error_page that forgets a frozen gate',
    edits: [['server.conf', 'error_page 502 504 =', 'error_page 502 =']],
    found: ['failed nginx-on-failure'],
    says: /504 lead to no on-failure file/,
  },
  {
    what: 'a rewrite with break before the include',
    edits: [inLive(`rewrite ^/live/old/(.*)$ /live/$1 break; ${include}`)],
    found: ['failed nginx-rewrites'],
    says: /a break \(site\.conf:\d+\) stands before location\.conf/,
  },
  {
    what: 'a catch-all rewrite at server level',
    edits: [inServer('rewrite ^ /index.html last;')],
    found: ['failed nginx-rewrites'],
    says: /the rewrite of site\.conf:\d+ catches \/_alta_auth/,
  },
  {
    what: 'an if on the path at server level',
    edits: [inServer('if ($uri !~ ^/(?:live|vod)/) { return 404; }')],
    found: ['failed nginx-rewrites'],
    says: /the if of site\.conf:\d+ catches/,
  },
  {
    what: 'a front controller for what is no file, at server level',
    edits: [inServer('if (!-e $request_filename) { rewrite ^ /index.php last; }')],
    found: ['failed nginx-rewrites'],
    says: /the if of site\.conf:\d+ catches/,
  },
  {
    what: 'an if on the query at server level',
    edits: [inServer('if ($arg_token = "") { return 403; }')],
    found: ['failed nginx-rewrites'],
    says: /the if of site\.conf:\d+ catches/,
  },
  {
    what: 'a cache key made by hand',
    nginx: withCache,
    edits: [['server.conf', '\\n$http_user_agent', '']],
    found: ['failed nginx-cache'],
    says: /proxy_cache_key of its own/,
  },
  {
    what: 'a part of the cache key made by hand',
    nginx: withCache,
    edits: [['cache-http.conf', '"~\\?(?<alta_auth_sent_query>.*)"   $alta_auth_sent_query;', '']],
    found: ['failed nginx-cache'],
    says: /\$alta_auth_query is not as in cache-http\.conf/,
  },
  {
    what: 'a cache that does not hear the gate',
    nginx: withCache,
    edits: [
      [
        'server.conf',
        'proxy_ignore_headers Cache-Control',
        'proxy_ignore_headers X-Accel-Expires Cache-Control',
      ],
    ],
    found: ['failed nginx-cache'],
    says: /does not hear how long/,
  },
  {
    what: 'a cache that repeats old verdicts while it asks',
    nginx: withCache,
    edits: [['server.conf', 'error timeout invalid_header;', 'error timeout updating;']],
    found: ['warning nginx-cache'],
    says: /proxy_cache_use_stale/,
  },
  {
    what: 'a cache of the site that the auth location inherits',
    edits: [
      ['server.conf', 'proxy_cache          $alta_auth_verdict_zone;', ''],
      [
        'site.conf',
        'server {\n',
        'proxy_cache_path /tmp/alta-auth-check-none keys_zone=site:1m;\nserver {\n    proxy_cache site;\n',
      ],
    ],
    found: ['failed nginx-cache'],
    says: /inherits a proxy_cache/,
  },
  {
    what: 'verdicts that lie for another time than SESSION_IDLE',
    nginx: withCache,
    settings: { SESSION_IDLE: '5m' },
    found: ['warning nginx-cache'],
    says: /inactive=2m, but SESSION_IDLE is 300000 ms/,
  },
  {
    what: 'a read timeout below BACKEND_TIMEOUT',
    settings: { BACKEND_TIMEOUT: '3s' },
    found: ['failed nginx-timeouts'],
    says: /waits 3s, too short for BACKEND_TIMEOUT=3000ms.*\nproxy_read_timeout 4s;/,
  },
  {
    what: 'no read timeout',
    edits: [['server.conf', 'proxy_read_timeout    3s;', '']],
    found: ['warning nginx-timeouts'],
    says: /waits 60s for a gate that is frozen/,
  },
  {
    what: 'no connect timeout',
    edits: [['server.conf', 'proxy_connect_timeout 500ms;', '']],
    found: ['warning nginx-timeouts'],
    says: /tries to connect to the gate for 60s/,
  },
  {
    what: 'one gate without max_fails=0',
    edits: [['http.conf', ' max_fails=0;\n    # max_fails=0: nginx', ';\n    # nginx']],
    found: ['warning nginx-upstream'],
    says: /without max_fails=0: harmless while/,
  },
  {
    what: 'a gate that may be asked only so often at once',
    edits: [
      ['http.conf', ' max_fails=0;\n    # max_fails=0: nginx', ' max_fails=0 max_conns=64;\n    # nginx'],
    ],
    found: ['failed nginx-upstream'],
    says: /with max_conns: what is beyond, nginx takes for a dead gate/,
  },
  {
    what: 'a proxy_pass to another path of the gate',
    edits: [['server.conf', 'http://alta_auth/auth;', 'http://alta_auth;']],
    found: ['failed nginx-upstream'],
    says: /the gate refuses all but \/auth/,
  },
  {
    what: 'a location that opens the gate to everybody',
    edits: [inServer('location /gate/ { proxy_pass http://alta_auth/; }')],
    found: ['failed exposure'],
    says: /\/gate\/ .* opens the gate to everybody/,
  },
  {
    what: "nginx's own log format",
    edits: [['site.conf', logLine, '    access_log /var/log/nginx/live.access.log;']],
    found: ['warning nginx-log'],
    says: /writes tokens to its access log \(format combined\)/,
  },
  {
    what: 'a log format with the token',
    edits: [
      ['site.conf', 'server {\n', "log_format mine '$uri $arg_token';\nserver {\n"],
      ['site.conf', ' alta_auth;', ' mine;'],
    ],
    found: ['warning nginx-log'],
    says: /format mine/,
  },
]

describe('check finds in the configuration of nginx', () => {
  for (const { what, edits = [], nginx = {}, settings = {}, found, says } of broken) {
    test(what, async (t) => {
      const { environment } = await startCheckedSite(t, { settings, nginx: { ...nginx, edits } })
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), found, JSON.stringify(findings, null, 1))
      assert.match(textOf(findings, (found[0] ?? '').split(' ')[1] ?? ''), says)
    })
  }
})

describe('an error log holds tokens, and check warns where everybody may read it:', () => {
  const cases: readonly (readonly [
    what: string,
    level: string,
    file: number,
    folder: number,
    found: boolean,
  ])[] = [
    ['at its default level', '', 0o644, 0o755, true],
    ['at a talkative level', ' info', 0o604, 0o711, true],
    ['not at level crit', ' crit', 0o644, 0o755, false],
    ['not where only its group may', '', 0o640, 0o755, false],
    ['not in a folder that is closed', '', 0o644, 0o750, false],
  ]
  for (const [what, level, fileMode, folderMode, found] of cases) {
    test(what, async (t) => {
      const folder = makeTemporaryFolder(t)
      const file = join(folder, 'live.error.log')
      writeFileSync(file, '')
      chmodSync(file, fileMode)
      chmodSync(folder, folderMode)
      const edits = [inServer(`error_log ${file}${level};`)]
      const { environment } = await startCheckedSite(t, { nginx: { edits } })
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), found ? ['warning nginx-log'] : [])
      if (found)
        assert.match(textOf(findings, 'nginx-log'), /live\.error\.log \(site\.conf:\d+\).*\nchmod o-r /)
    })
  }
})

describe('check knows what of the kernel makes nginx take a healthy gate for a dead one:', () => {
  const kernel =
    (waiting: number, reuse: number): ReadKernel =>
    (path) =>
      ({ 'net/core/somaxconn': waiting, 'net/ipv4/tcp_tw_reuse': reuse })[path]
  const far: Edit = [
    'http.conf',
    '    keepalive 1024;',
    '    server 192.0.2.9:9180 max_fails=0;\n    keepalive 1024;',
  ]
  const cases: readonly (readonly [
    what: string,
    ReadKernel,
    edits: readonly Edit[],
    says: RegExp | undefined,
  ])[] = [
    [
      'a short line of waiting connections',
      kernel(128, 2),
      [],
      /somaxconn is 128.*\nsysctl net\.core\.somaxconn=4096/,
    ],
    [
      'ports of another machine that are not used again',
      kernel(4096, 2),
      [far],
      /192\.0\.2\.9:9180 over TCP.*\n.*tcp_tw_reuse=1/,
    ],
    ['nothing of it where they are', kernel(4096, 1), [far], undefined],
    ['nothing of it on the loopback', kernel(4096, 2), [], undefined],
  ]
  for (const [what, readKernel, edits, says] of cases) {
    test(what, async (t) => {
      const { environment } = await startCheckedSite(t, { nginx: { edits } })
      const findings = (await checkSite(environment, 0, readKernel)).filter(
        ({ name }) => name === 'nginx-upstream',
      )
      const said = findings.map(({ finding, remedy = '' }) => `${finding}\n${remedy}`).join('\n')
      if (says === undefined) assert.doesNotMatch(said, /somaxconn|over TCP/)
      else assert.match(said, says)
    })
  }
})

test('check finds verdicts that nginx wrote before its clock was set back', async (t) => {
  const { environment } = await startCheckedSite(t, { nginx: withCache })
  const folder = join(environment['PATH'] ?? '', '..', 'verdicts')
  mkdirSync(join(folder, '9', '01'), { recursive: true })
  const file = join(folder, '9', '01', '6c18633ddfe1c1ee6c186cb0db63b019')
  writeFileSync(file, '')
  assert.deepEqual(flawsOf(await checkSite(environment)), [])
  const inAnHour = new Date(Date.now() + 3_600_000)
  utimesSync(file, inAnHour, inAnHour)
  const findings = await checkSite(environment)
  assert.deepEqual(flawsOf(findings), ['failed nginx-cache'])
  const said = textOf(findings, 'nginx-cache')
  assert.match(
    said,
    /^the clock was set back: .* up to 3\d\d\d s from now.*\nfind \/.*\/verdicts -type f -delete; nginx -s reload/,
  )
})

test('where no server asks the gate, check judges no times', async (t) => {
  const site = 'include /etc/nginx/alta-auth/http.conf; server { listen 39997; }'
  const { environment } = await startCheckedSite(t, { nginx: { site } })
  const timeouts = (await checkSite(environment)).find(({ name }) => name === 'nginx-timeouts')
  assert.deepEqual([timeouts?.result, timeouts?.finding], ['skipped', 'no server asks the gate'])
})

describe('check raises no alarm over', () => {
  const harmless: readonly (readonly [what: string, edits: readonly Edit[]])[] = [
    [
      'a player page beside the media',
      [inServer('location /live-help/ { alias /srv/help/; } location = /live.html { }')],
    ],
    ['a location that is open on purpose', [inServer('location /live/promo/ { auth_request off; }')]],
    ['segments that are protected by a regular expression', [inServer(`location ~ \\.ts$ { ${include} }`)]],
    [
      'a regular expression behind ^~',
      [
        inServer('location ~ \\.ts$ { }'),
        ['site.conf', 'location /live/', 'location ^~ /live/'],
        ['site.conf', 'location /vod/', 'location ^~ /vod/'],
      ],
    ],
    [
      'conditions on what a subrequest has in common with its request',
      [inServer('if ($request_uri !~ ^/(?:live|vod)/) { return 404; } if ($host != a) { return 404; }')],
    ],
    [
      'an if on a query that is there, at server level',
      [inServer('if ($arg_debug) { return 403; } if ($args ~ script) { return 403; }')],
    ],
    ['methods refused at server level', [inServer('if ($request_method = POST) { return 405; }')]],
    ['an if on the path that spares the auth location', [inServer('if ($uri ~ ^/secret/) { return 404; }')]],
    [
      'a rewrite without break before the include',
      [inLive(`rewrite ^/live/old/(.*)$ /live/new/$1; ${include}`)],
    ],
    [
      'a nested location with its own include',
      [inLive(`${include} location ~ \\.ts$ { ${include} expires 1h; }`)],
    ],
    [
      'merge_slashes off where the root is protected, too',
      [inServer('merge_slashes off;'), ['site.conf', 'location / {', `location / {\n        ${include}`]],
    ],
    ['a longer time for the gate', [['server.conf', 'proxy_read_timeout    3s;', 'proxy_read_timeout 5s;']]],
  ]
  for (const [what, edits] of harmless) {
    test(what, async (t) => {
      const { environment } = await startCheckedSite(t, { nginx: { edits } })
      const findings = await checkSite(environment)
      assert.deepEqual(flawsOf(findings), [], JSON.stringify(findings, null, 1))
    })
  }
})

describe('check finds nothing in what the documentation shows', () => {
  /** A site that is right, with pieces of a page at their levels. */
  const siteWith = (http: string, server: string): string => `include /etc/nginx/alta-auth/http.conf;
${http}
server {
    listen 80;
    access_log /var/log/nginx/access.log alta_auth;
    include /etc/nginx/alta-auth/server.conf;
    include /etc/nginx/alta-auth/on-failure-deny.conf;
    root /srv/media;
    location /vod/ { include /etc/nginx/alta-auth/location.conf; }
    ${server}
}
`
  for (const { blocks } of readPages()) {
    const nginx = blocks.filter(({ language }) => language === 'nginx')
    for (const { place, words, text } of nginx.filter(
      ({ words: [level] }) => level === 'site' || level === 'server',
    )) {
      test(place, async (t) => {
        const [level, name] = words
        const http = nginx.filter(
          ({ words: [other, also] }) => other === 'http' && also === name && name !== undefined,
        )
        const site = level === 'site' ? text : siteWith(http.map((one) => one.text).join('\n'), text)
        const { environment } = await startCheckedSite(t, {
          settings: { ADMIN_TOKEN: 'a-token-that-nobody-guesses' },
          nginx: { site },
        })
        const findings = await checkSite(environment)
        // The shortest of them leaves the log of the distribution as it is.
        const flaws = flawsOf(findings).filter(
          (flaw) => flaw !== 'warning nginx-log' || text.includes('access_log'),
        )
        assert.deepEqual(flaws, [], JSON.stringify(findings, null, 1))
      })
    }
  }
})
