import type { SiteShape } from '../shaped-site.ts'

const playlist = '#EXTM3U\n'
const live = { 'live/news/index.m3u8': playlist, 'live/news/1.ts': 'ts' } as const
const plays = { playlist: '/live/news/index.m3u8', segments: ['/live/news/1.ts'] } as const
const settings = { SESSION_COOKIE: 'on' } as const

/** Sites with session cookies. */
export const cookieSites: readonly SiteShape[] = [
  {
    what: 'a session cookie beside headers, conditions and fallbacks that leave it alone',
    site: `HTTP;
map $http_user_agent $alta_auth_cookie_mode { volatile; default ""; "~Mozilla" strict; "~MAG" off; }
server { listen PORT; GATE; root /srv;
  add_header Strict-Transport-Security max-age=60 always;
  error_page 404 /404.html;
  location /live/ {
    LOCATION; COOKIE;
    add_header strict-transport-security max-age=60 always;
    if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *; return 204; }
    if ($uri ~ \\.(?:aac|vtt)$) { add_header X-Part 1; }
    if ($arg_debug) { set $debug 1; }
    if ($arg_old) { add_header X-Old 1; return 302 /live/; }
    try_files $uri @origin;
    error_page 403 = @refused;
    location ~ \\.m4s$ { LOCATION; COOKIE; add_header Cache-Control max-age=60; try_files $uri @parts; }
  }
  location @origin { COOKIE; proxy_pass http://ORIGIN; }
  location @parts { proxy_pass http://ORIGIN; }
  location @refused { add_header X-Refused 1; try_files /.none =403; }
  location /boxes/ { LOCATION; }
  location ~ ^/boxes/.*\\.ts$ { LOCATION; }
  location /live/logos/ { auth_request off; expires 1d; }
}`,
    files: live,
    settings,
    ...plays,
  },
  {
    what: 'a session cookie of which a map alone decides, with no headers but ours',
    site: `HTTP;
map $http_user_agent $alta_auth_cookie_mode { default off; "~Mozilla" on; }
server { listen PORT; GATE; root /srv; location / { LOCATION; COOKIE; } location ~ \\.mp4$ { LOCATION; } }`,
    files: live,
    ...plays,
  },
  {
    what: 'a session cookie that is known in the playlists alone',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; COOKIE; } location ~ \\.ts$ { LOCATION; } }`,
    files: live,
    settings,
    ...plays,
    found: [
      [
        'warning nginx-cookie',
        /location ~ \\\.ts\$ \(site\.conf:\d+\) does not include cookie\.conf, but location \/live\/ .* does: .*\ninclude cookie\.conf in it, too/,
      ],
    ],
  },
  {
    what: 'a session cookie that is lost where the origin answers',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ { LOCATION; COOKIE; try_files $uri @origin; }
  location /vod/ { LOCATION; COOKIE; error_page 404 = @archive; }
  location @origin { proxy_pass http://ORIGIN; }
  location @archive { proxy_pass http://ORIGIN; }
}`,
    files: live,
    settings,
    ...plays,
    found: [
      [
        'warning nginx-cookie',
        /location @origin \(site\.conf:\d+\) answers in the place of location \/live\/ .*: its answers set no cookie/,
      ],
      ['warning nginx-cookie', /location @archive .* in the place of location \/vod\/ /],
    ],
  },
]
