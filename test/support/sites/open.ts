import type { SiteShape } from '../shaped-site.ts'

const playlist = '#EXTM3U\n'
const live = { 'live/news/index.m3u8': playlist, 'live/news/1.ts': 'ts' } as const
const plays = { playlist: '/live/news/index.m3u8', segments: ['/live/news/1.ts'] } as const

/** Sites with an open door. That it is open is tried, too. */
export const openSites: readonly SiteShape[] = [
  {
    what: 'protection of playlists alone',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location / { } location ~ \\.m3u8$ { LOCATION; } }`,
    files: live,
    playlist: '/live/news/index.m3u8',
    segments: [],
    open: ['/live/news/1.ts'],
    found: [
      [
        'failed nginx-locations',
        /~ \\\.m3u8\$ \(site\.conf:\d+\) protects playlists, but location \/ \(site\.conf:\d+\) serves their segments/,
      ],
    ],
  },
  {
    what: 'a regular expression that takes the segments',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } location ~* \\.(?:ts|m4s)$ { expires 1h; } }`,
    files: live,
    playlist: '/live/news/index.m3u8',
    segments: [],
    open: ['/live/news/1.ts'],
    found: [['failed nginx-locations', /\(site\.conf:\d+\) serves \/live\/…\/1\.ts without asking/]],
  },
  {
    what: 'another location with the same folder',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } location /direct/ { alias /srv/live/; } }`,
    files: live,
    ...plays,
    open: ['/direct/news/1.ts'],
    found: [
      [
        'failed nginx-locations',
        /location \/direct\/ \(site\.conf:\d+\) serves openly what location \/live\/ \(site\.conf:\d+\) protects .*: \/direct\/index\.m3u8/,
      ],
    ],
  },
  {
    what: 'an alias of the folder around the media',
    site: `HTTP;
server { listen PORT; GATE; location /live/ { root /srv; LOCATION; } location /files/ { alias /srv/; } }`,
    files: live,
    ...plays,
    open: ['/files/live/news/1.ts'],
    found: [['failed nginx-locations', /location \/files\/ .* serves openly .*: \/files\/live\/index\.m3u8/]],
  },
  {
    what: 'an alias whose location lacks its slash',
    site: `HTTP;
server { listen PORT; GATE; location /live/ { root /srv; LOCATION; } location /img { alias /srv/img/; } }`,
    files: { ...live, 'img/a.png': 'png' },
    ...plays,
    open: ['/img../live/news/1.ts'],
    found: [['failed nginx-locations', /location \/img .* serves openly .*: \/img\.\.\/live\//]],
  },
  {
    what: 'another site with the same root',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } }
server { listen OTHER; server_name old.example.com; root /srv; location / { autoindex on; } }`,
    files: live,
    ...plays,
    open: ['other:/live/news/1.ts'],
    found: [
      ['failed nginx-locations', /location \/ \(site\.conf:\d+\) serves openly what location \/live\//],
    ],
  },
  {
    what: 'the same packager behind an open path and an open site',
    site: `HTTP;
upstream packager { server ORIGIN; }
server { listen PORT; GATE; location /live/ { LOCATION; proxy_pass http://packager; } location /raw/ { proxy_pass http://ORIGIN/; } }
server { listen OTHER; location / { proxy_pass http://packager; } }`,
    ...plays,
    open: ['/raw/live/news/1.ts', 'other:/live/news/1.ts'],
    found: [
      ['failed nginx-locations', /location \/raw\/ \(site\.conf:\d+\) serves openly what location \/live\//],
    ],
  },
  {
    what: "the client's own text for the origin",
    site: `HTTP;
server { listen PORT; GATE; location /live/ { LOCATION; proxy_pass http://ORIGIN$request_uri; } }`,
    ...plays,
    found: [
      ['failed nginx-rewrites', /location \/live\/ .*proxy_pass of site\.conf:\d+ sends \$request_uri/],
    ],
  },
  {
    what: 'a script that gets its parameters out of the path at server level',
    site: `HTTP;
server { listen PORT; GATE;
  rewrite ^/live/([^/]+)/([^/]+)/(\\d+)\\.\\w+$ /stream.php?username=$1&password=$2&id=$3 break;
  location ~ \\.php$ { LOCATION; proxy_pass http://ORIGIN; }
}`,
    playlist: '/live/user/pass/5.m3u8',
    segments: [],
    found: [
      [
        'failed nginx-rewrites',
        /the rewrite of site\.conf:\d+ makes parameters of \/stream\.php .*\n.*rewrite behind it/,
      ],
      ['warning path-credentials', /\(site\.conf:4\) looks as if paths held user and password/],
    ],
  },
  {
    what: 'a rewrite that leads out of the protected location',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ { LOCATION; }
  location /live/old/ { rewrite ^/live/old/(.*)$ /archived/$1; LOCATION; }
  location /archived/ { alias /srv/live/news/; auth_request off; }
}`,
    files: live,
    ...plays,
    open: ['/live/old/1.ts'],
    found: [
      [
        'failed nginx-rewrites',
        /rewrite of site\.conf:\d+ leads out of location \/live\/old\/ .* to location \/archived\//,
      ],
    ],
  },
  {
    what: 'keys in an open folder',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } location /keys/ { } }`,
    files: {
      ...live,
      'live/news/index.m3u8': '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="../../keys/1.key"\n',
      'keys/1.key': '0123456789abcdef',
    },
    ...plays,
    open: ['/keys/1.key'],
    found: [
      [
        'failed nginx-locations',
        /location \/keys\/ \(site\.conf:\d+\) serves keys openly: \/live\/news\/index\.m3u8 names \/keys\/1\.key/,
      ],
    ],
  },
  {
    what: 'a question of its own at server level',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  auth_request /members;
  location = /members { internal; return 204; }
  location /live/ { LOCATION; }
}`,
    files: live,
    ...plays,
    found: [
      [
        'warning nginx-locations',
        /location \/live\/ \(site\.conf:\d+\) does not ask auth_request \/members \(site\.conf:\d+\)/,
      ],
    ],
  },
  {
    what: 'several channels in one directory without CHANNEL_PATTERN',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } }`,
    settings: { CHANNEL_PATTERN: '' },
    files: { 'live/a.m3u8': playlist, 'live/a-1.ts': 'ts', 'live/b.m3u8': playlist, 'live/b-1.ts': 'ts' },
    playlist: '/live/a.m3u8',
    segments: ['/live/a-1.ts', '/live/b-1.ts'],
    found: [
      [
        'warning channel-pattern',
        /CHANNEL_PATTERN='\^\/live\/\(\[\^\/\.-\]\+\)' finds 2 channels in \S+, which location \/live\/ \(site\.conf:\d+\) serves/,
      ],
    ],
  },
  {
    what: 'channels in directories without CHANNEL_PATTERN',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } }`,
    settings: { CHANNEL_PATTERN: '' },
    files: { ...live, 'live/sport/index.m3u8': playlist },
    ...plays,
    found: [
      [
        'warning channel-pattern',
        /CHANNEL_PATTERN='\^\/live\/\(\[\^\/\]\+\)\/' finds 2 channels in \S+, which location \/live\/ \(site\.conf:\d+\) serves/,
      ],
    ],
  },
]
