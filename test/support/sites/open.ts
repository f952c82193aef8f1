import type { SiteShape } from '../shaped-site.ts'

const playlist = '#EXTM3U\n'
const live = { 'live/news/index.m3u8': playlist, 'live/news/1.ts': 'ts' } as const
const plays = { playlist: '/live/news/index.m3u8', segments: ['/live/news/1.ts'] } as const

/** Sites with an open door. That it is open is tried, too. */
export const openSites: readonly SiteShape[] = [
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
]
