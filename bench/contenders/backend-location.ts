/**
 * The lines of an nginx that asks the backend directly: the client's parameters and the same five headers as
 * from alta-auth.
 */
export function backendLines(argumentsOf: string): string {
  return `
      proxy_pass http://backend/auth${argumentsOf};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_headers off;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Host backend;
      proxy_set_header X-Real-Ip $remote_addr;
      proxy_set_header X-Real-Path $client_path;
      proxy_set_header X-Real-Origin $scheme://$http_host;
      proxy_set_header X-Real-Ua $http_user_agent;`
}

/** The upstream of the backend, with kept-alive connections. */
export function backendUpstream(port: number): string {
  return `upstream backend { server 127.0.0.1:${port}; keepalive 64; }`
}
