import type { SiteShape } from '../shaped-site.ts'

/** Sites that take media from a packager or an origin. */
export const originSites: readonly SiteShape[] = [
  {
    what: 'all of a media server behind nginx',
    site: `HTTP;
upstream media { server ORIGIN; keepalive 16; }
server { listen PORT; GATE;
  location / { LOCATION; proxy_pass http://media; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
}`,
    playlist: '/news/index.m3u8',
    segments: ['/news/tracks-v1a1/1.ts'],
  },
  {
    what: 'an edge with a cache',
    site: `HTTP;
proxy_cache_path /run/cache levels=1:2 keys_zone=edge:1m max_size=10m inactive=1m use_temp_path=off;
server { listen PORT; GATE;
  proxy_cache edge; proxy_cache_key $uri; proxy_cache_lock on; proxy_cache_valid 200 1m;
  location /live/ { LOCATION; proxy_pass http://ORIGIN; add_header X-Cache $upstream_cache_status; }
  location ~* \\.m3u8$ { LOCATION; proxy_pass http://ORIGIN; proxy_cache_valid 200 1s; }
}`,
    playlist: '/live/news/index.m3u8',
    segments: ['/live/news/1.ts', '/live/news/1.ts'],
  },
  {
    what: 'a packager of films that asks nginx for its sources',
    site: `HTTP;
upstream packager { server ORIGIN; }
server { listen PORT; GATE;
  location ~ ^/vod/(?:hls|dash)/ { LOCATION; proxy_pass http://packager; }
  location ^~ /mapped/ { internal; proxy_pass http://packager; }
  location = /vod_status { allow 127.0.0.1; deny all; proxy_pass http://packager; }
}`,
    playlist: '/vod/hls/film.mp4/master.m3u8',
    segments: ['/vod/hls/film.mp4/seg-1-v1.ts'],
  },
  {
    what: 'files first, the origin for what is not there',
    site: `HTTP;
server { listen PORT; GATE; root /srv;
  location /live/ { LOCATION; try_files $uri @origin; }
  location @origin { proxy_pass http://ORIGIN; }
}`,
    files: { 'live/news/index.m3u8': '#EXTM3U\n' },
    playlist: '/live/news/index.m3u8',
    segments: ['/live/news/1.ts'],
  },
  {
    what: 'a script that gets parameters out of the path, behind a named location',
    site: `HTTP;
server { listen PORT; GATE;
  location /live/ { LOCATION; try_files /.none @script; }
  location @script {
    rewrite ^/live/([^/]+)/(\\w+)\\.(?:m3u8|ts)$ /stream.php?package=$1&id=$2 break;
    proxy_pass http://ORIGIN;
  }
}`,
    playlist: '/live/basic/5.m3u8',
    segments: ['/live/basic/5.ts'],
  },
  {
    what: 'old addresses that a rewrite leads to new ones',
    site: `HTTP;
server { listen PORT; GATE;
  rewrite ^/old/(.*)$ /live/$1 last;
  location /tv/ { rewrite ^/tv/(.*)$ /live/$1; LOCATION; }
  location /live/ { LOCATION; proxy_pass http://ORIGIN; }
}`,
    playlist: '/tv/news/index.m3u8',
    segments: ['/tv/news/1.ts', '/live/news/1.ts', '/old/news/1.ts'],
  },
]
