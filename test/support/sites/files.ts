import type { SiteShape } from '../shaped-site.ts'

const playlist = '#EXTM3U\n'
const live = { 'live/news/index.m3u8': playlist, 'live/news/1.ts': 'ts' } as const

/** Sites that serve media from disk. */
export const fileSites: readonly SiteShape[] = [
  {
    what: 'HLS of an RTMP server, with types and headers of its own',
    site: `HTTP;
server { listen PORT; GATE;
  location /hls/ {
    LOCATION;
    types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
    root /srv/;
    add_header Cache-Control no-cache;
  }
  location /stat.xsl { root /srv/; }
}`,
    files: { 'hls/cam.m3u8': playlist, 'hls/cam-1.ts': 'ts' },
    playlist: '/hls/cam.m3u8',
    segments: ['/hls/cam-1.ts'],
  },
  {
    what: 'a blog with HLS beside it',
    site: `HTTP;
server { listen PORT; GATE; root /srv/www; index index.html;
  location / { try_files $uri $uri/ /index.html?$args; }
  location ~ \\.php$ { fastcgi_pass 127.0.0.1:9; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; }
  location ~* \\.(?:css|js|png|jpe?g|gif|ico)$ { expires 30d; access_log off; }
  location ^~ /live/ { LOCATION; root /srv; }
}`,
    files: { ...live, 'www/index.html': 'blog', 'www/logo.png': 'png' },
    playlist: '/live/news/index.m3u8',
    segments: ['/live/news/1.ts'],
    open: ['/', '/some/page', '/logo.png'],
  },
  {
    what: 'a regular expression for playlists and segments of a channel',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location / { return 404; }
  location ~ ^/live/(?<channel>[\\w-]+)/(?<file>[^/]+\\.(?:m3u8|ts|m4s))$ { LOCATION; try_files /live/$channel/$file =404; }
}`,
    files: live,
    playlist: '/live/news/index.m3u8',
    segments: ['/live/news/1.ts'],
  },
  {
    what: 'DASH and its keys, all of it protected',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /dash/ { LOCATION; } location /live/ { LOCATION; } location /keys/ { LOCATION; }
}`,
    files: {
      'dash/film/manifest.mpd': '<MPD/>',
      'dash/film/1.m4s': 'm4s',
      'live/news/index.m3u8': '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="/keys/1.key"\n',
      'keys/1.key': '0123456789abcdef',
    },
    playlist: '/dash/film/manifest.mpd',
    segments: ['/dash/film/1.m4s'],
  },
  {
    what: 'low-latency HLS over cleartext HTTP/2',
    site: `HTTP;
server { listen PORT; http2 on; tcp_nodelay on; GATE; root /srv;
  location /live/ { LOCATION; open_file_cache off; add_header Cache-Control "max-age=1"; }
}
server { listen OTHER ssl default_server; ssl_reject_handshake on; }`,
    files: { 'live/news/index.m3u8': playlist, 'live/news/1.0.m4s': 'm4s' },
    playlist: '/live/news/index.m3u8?_HLS_msn=1&_HLS_part=0',
    segments: ['/live/news/1.0.m4s'],
  },
  {
    what: 'methods that limit_except bounds, and an answer to OPTIONS',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ {
    if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin *; return 204; }
    LOCATION;
    limit_except GET HEAD { deny all; }
  }
}`,
    files: live,
    playlist: '/live/news/index.m3u8',
    segments: ['/live/news/1.ts'],
  },
]
