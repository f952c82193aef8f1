import type { SiteShape } from '../shaped-site.ts'

const playlist = '#EXTM3U\n'
const live = { 'live/news/index.m3u8': playlist, 'live/news/1.ts': 'ts' } as const
const plays = { playlist: '/live/news/index.m3u8', segments: ['/live/news/1.ts'] } as const

/** Sites with open places beside the media, about which check must be silent. */
export const ownWaySites: readonly SiteShape[] = [
  {
    what: 'logos, guide, programs and pages whose names sound like media',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ { LOCATION; }
  location /live/logos/ { expires 1d; }
  location /channels/icons/ { }
  location /vod/posters/ { }
  location /api/channels/ { proxy_pass http://ORIGIN; }
  location /epg/live/ { }
  location = /streams.json { }
  location /movies.html { }
  location ~ ^/channels/.+\\.(?:png|jpg)$ { expires 1d; }
  location /live-help/ { }
}`,
    files: { ...live, 'live/logos/news.png': 'png', 'streams.json': '[]' },
    ...plays,
    open: ['/live/logos/news.png', '/api/channels/1', '/streams.json'],
  },
  {
    what: 'an origin of the same files on a Unix socket',
    site: `HTTP;
server { listen PORT; GATE; location /live/ { LOCATION; proxy_pass http://unix:/run/origin.sock; } }
server { listen unix:/run/origin.sock; root /srv; }`,
    files: live,
    ...plays,
  },
  {
    what: 'another site with another root, and pictures in the same one',
    site: `HTTP;
server { listen PORT; GATE; root /srv; location /live/ { LOCATION; } location ~* \\.(?:png|css|js)$ { expires 7d; } }
server { listen OTHER; root /srv/www; }`,
    files: { ...live, 'www/index.html': 'page', 'live/news/logo.png': 'png' },
    ...plays,
    open: ['other:/index.html', '/live/news/logo.png'],
  },
  {
    what: 'a panel on the same server as the media',
    site: `HTTP;
upstream media { server ORIGIN; }
server { listen PORT; GATE;
  location / { proxy_pass http://media; }
  location /admin/ { proxy_pass http://media/ui/; }
  location /live/ { LOCATION; proxy_pass http://media; }
}`,
    ...plays,
    open: ['/', '/admin/x'],
  },
  {
    what: 'the same folder for those who have a password, a signed link or an address',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ { LOCATION; }
  location /studio/ { alias /srv/live/; auth_basic "studio"; auth_basic_user_file /srv/users; }
  location /signed/ { alias /srv/live/; secure_link $arg_md5; secure_link_md5 "$uri secret"; if ($secure_link = "") { return 403; } }
  location /lan/ { alias /srv/live/; allow 192.0.2.0/24; deny all; }
}`,
    files: { ...live, users: 'a:b\n' },
    ...plays,
  },
  {
    what: 'keys that a program of the site gives out',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ { LOCATION; }
  location /keys/ { proxy_pass http://ORIGIN; }
}`,
    files: { ...live, 'live/news/index.m3u8': '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="/keys/1"\n' },
    ...plays,
    open: ['/keys/1'],
  },
]
