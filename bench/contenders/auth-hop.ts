import type { SiteOptions } from '../start-site.ts'

/**
 * `auth_request` over kept-alive connections to `server`, written by hand: with what a gate must get, and
 * nothing else.
 */
export function authHop(server: string): Required<Pick<SiteOptions, 'http' | 'server' | 'location'>> {
  return {
    http: `upstream gate { server ${server}; keepalive 64; }`,
    server: `
    location = /_auth {
      internal;
      proxy_pass http://gate/auth;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_headers off;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Host gate;
      proxy_set_header X-Original-Ip $remote_addr;
      proxy_set_header X-Original-Origin $scheme://$http_host;
      proxy_set_header X-Original-Path $original_path;
      proxy_set_header X-Original-Uri $request_uri;
      proxy_set_header X-Original-Ua $http_user_agent;
    }`,
    location: `
      set $original_path $uri;
      auth_request /_auth;`,
  }
}
