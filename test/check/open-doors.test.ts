import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkLocations } from '../../src/check/locations/check-locations.ts'
import { checkAddress } from '../../src/check/nginx/check-address.ts'
import { textOf } from '../../src/check/nginx-conf/directive.ts'
import { readDirectives } from '../../src/check/nginx-conf/read-directives.ts'
import { readShipped } from '../../src/check/nginx-conf/shipped.ts'
import { createSiteMap, type SiteMap } from '../../src/check/nginx-conf/site-map.ts'
import { checkRewrites } from '../../src/check/rewrites/check-rewrites.ts'

const include = readShipped('location.conf').map(textOf).map(quoted).join('\n')
const gate = 'location = /_alta_auth { internal; proxy_pass http://alta_auth/auth; }'

/** Empty values need their quotes again. */
function quoted(line: string): string {
  return line.replace(/ ;$/, ' "";')
}

/** Servers at http level; `LOCATION;` and `GATE;` are our lines. */
function siteOf(http: string): SiteMap {
  const text = `http { ${http.replaceAll('LOCATION;', include).replaceAll('GATE;', gate)} }`
  return createSiteMap(readDirectives(text, 'live.conf'))
}

function flawsIn(http: string): string[] {
  const map = siteOf(http)
  return [...checkLocations(map), ...checkRewrites(map), ...checkAddress(map)]
    .filter(({ result }) => result !== 'ok')
    .map(({ finding }) => finding)
}

const media = 'server { listen 80; GATE; root /srv; location /live/ { LOCATION; } '
const packager = 'server { listen 80; GATE; location /live/ { LOCATION; proxy_pass http://127.0.0.1:8081; } '

/** What begins after `server { … location /live/ { … }`, and what is found; undefined = nothing. */
const cases: readonly (readonly [what: string, http: string, found: RegExp | undefined])[] = [
  [
    'everybody trusted by http',
    `set_real_ip_from 0.0.0.0/0; ${media} }`,
    /^set_real_ip_from 0\.0\.0\.0\/0 \(live\.conf:1\) believes everybody/,
  ],
  ['everybody trusted by a server', `${media} set_real_ip_from ::/0; }`, /believes everybody/],
  [
    'everybody trusted by http, and a server that names its proxy',
    `set_real_ip_from 0.0.0.0/0; ${media} set_real_ip_from 192.0.2.10; }`,
    undefined,
  ],
  [
    'everybody trusted on the loopback',
    `set_real_ip_from 0.0.0.0/0; ${media.replace('80', '127.0.0.1:80')} }`,
    undefined,
  ],
  ['networks trusted', `set_real_ip_from 10.0.0.0/8; set_real_ip_from 192.0.2.0/24; ${media} }`, undefined],

  [
    'another server with the same root',
    `${media} } server { listen 81; server_name b; root /srv/; }`,
    /^server b \(live\.conf:\d+\) serves openly what location \/live\//,
  ],
  [
    'another server with a root around it',
    `${media} } server { listen 81; root /; }`,
    /serves openly .*: \/srv\/live\/index\.m3u8/,
  ],
  ['another server with a root beside it', `${media} } server { listen 81; root /srv2; }`, undefined],
  [
    'another server with the same root, of http',
    `root /srv; server { listen 80; GATE; location /live/ { LOCATION; } } server { listen 81; }`,
    /^server 81 /,
  ],
  [
    'the same root, on the loopback alone',
    `${media} } server { listen 127.0.0.1:81; root /srv; }`,
    undefined,
  ],
  [
    'the same root, for those whom a server lets in',
    `${media} } server { listen 81; root /srv; allow 10.0.0.0/8; deny all; }`,
    undefined,
  ],
  [
    'the same root, behind a question of another',
    `${media} } server { listen 81; root /srv; auth_request /mine; }`,
    undefined,
  ],
  ['an alias by a regular expression', `${media} location ~ ^/x/(.*)$ { alias /srv/live/$1; } }`, undefined],
  [
    'a rewrite with break to the folder',
    `${media} location /x/ { rewrite ^/x/(.*)$ /live/$1 break; } }`,
    /^location \/x\/ .* serves openly/,
  ],
  [
    'the same packager by its upstream',
    `upstream p { server 127.0.0.1:8081; } ${packager} location /x/ { proxy_pass http://p/live/; } }`,
    /^location \/x\/ .*: \/x\/index\.m3u8$/,
  ],
  [
    'another path of the packager',
    `${packager} location /epg/ { proxy_pass http://127.0.0.1:8081/epg/; } }`,
    undefined,
  ],
  ['another packager', `${packager} location /x/ { proxy_pass http://127.0.0.1:8082; } }`, undefined],
  ['a packager that a variable names', `${packager} location /x/ { proxy_pass http://$name; } }`, undefined],
  [
    'a fallback to the packager',
    `${packager} location /x/ { try_files $uri @p; } location @p { proxy_pass http://127.0.0.1:8081; } }`,
    undefined,
  ],
  [
    'an image of an RTMP server whose two locations lead to one folder',
    'server { listen 80; GATE; location /hls { LOCATION; root /opt/data; } location /live { alias /opt/data/hls; } }',
    /^location \/live \(live\.conf:\d+\) serves openly what location \/hls/,
  ],
  [
    'films that a packager in nginx reads from an open folder',
    'server { listen 80; GATE; root /opt; location ~ ^/videos/.+$ { autoindex on; } location /hls/ { LOCATION; alias /opt/videos/; } }',
    /^location ~ \^\/videos\/\.\+\$ .* serves openly/,
  ],
  [
    'an alias in order',
    `${media} location /img/ { alias /srv/img/; } location /css { alias /srv/css; } }`,
    undefined,
  ],

  [
    'playlists alone, of DASH',
    'server { listen 80; GATE; root /srv; location ~ \\.mpd$ { LOCATION; } }',
    /protects playlists, but server 80 .* serves their segments openly/,
  ],
  [
    'one playlist alone',
    'server { listen 80; GATE; root /srv; location = /live/tv.m3u8 { LOCATION; } }',
    /^location = \/live\/tv\.m3u8 .* protects playlists/,
  ],
  [
    'playlists alone, where nothing else is served',
    'server { listen 80; GATE; root /srv; location / { return 404; } location ~ \\.m3u8$ { LOCATION; } }',
    undefined,
  ],
  [
    'playlists of a packager, and pages from disk',
    'server { listen 80; GATE; root /srv; location / { } location ~ \\.m3u8$ { LOCATION; proxy_pass http://127.0.0.1:8081; } }',
    undefined,
  ],
  [
    'playlists, and segments behind a signed link',
    'server { listen 80; GATE; root /srv; location ~ \\.m3u8$ { LOCATION; } location ~ \\.ts$ { secure_link $arg_s; if ($secure_link = "") { return 403; } } }',
    undefined,
  ],

  [
    'the path of the client for a packager',
    `${media} location /p/ { LOCATION; proxy_pass http://127.0.0.1:8081$request_uri; } }`,
    /sends \$request_uri/,
  ],
  [
    'the same behind try_files',
    `${media} location /p/ { LOCATION; try_files $uri @p; } location @p { proxy_pass http://127.0.0.1:8081$request_uri; } }`,
    /^location @p .* sends \$request_uri/,
  ],
  [
    'the same in an open location',
    `${media} location /api/ { proxy_pass http://127.0.0.1:9999$request_uri; } }`,
    undefined,
  ],

  [
    'a rewrite to another server',
    `${media} rewrite ^/live/(.*)$ https://edge.example.com/live/$1 redirect; }`,
    undefined,
  ],
  [
    'a rewrite of the server into an open place',
    `${media} location /pub/ { alias /pub/; } rewrite ^/live/(.*)$ /pub/$1 last; }`,
    /^server 80 .*: the rewrite of live\.conf:\d+ leads out of location \/live\/ .* to location \/pub\//,
  ],
  [
    'a rewrite of the server into a protected place',
    `${media} rewrite ^/tv/(.*)$ /live/$1 last; }`,
    undefined,
  ],
  [
    'a script in a protected place',
    `${media} location /live/get/ { rewrite ^/live/get/(\\w+)$ /live/get.php?id=$1; LOCATION; } }`,
    /makes parameters of \/live\/get\.php/,
  ],
  [
    'a page in a protected place',
    `${media} rewrite ^/watch/(\\w+)$ /live/player.html?channel=$1 last; }`,
    undefined,
  ],
  [
    'a front controller for what is no file',
    `${media} location /x/ { LOCATION; if (!-e $request_filename) { rewrite ^ /index.html last; } } }`,
    undefined,
  ],

  [
    'a question of http that ours replaces',
    `auth_request /mine; ${media} }`,
    /does not ask auth_request \/mine \(live\.conf:1\) any more/,
  ],
  ['a question that is off', `auth_request off; ${media} }`, undefined],
]

describe('check reads in a site:', () => {
  for (const [what, http, found] of cases) {
    test(`${what}: ${found === undefined ? 'nothing to say' : 'a flaw'}`, () => {
      const flaws = flawsIn(http)
      assert.equal(flaws.length, found === undefined ? 0 : 1, flaws.join('\n'))
      if (found !== undefined) assert.match(flaws[0] ?? '', found)
    })
  }
})
