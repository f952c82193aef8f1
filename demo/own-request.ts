import type { IncomingMessage } from 'node:http'

const loopback = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i

/**
 * Why a request does not come from our own page; undefined when it does. There are two attacks:
 * - Any website can make a browser send requests to 127.0.0.1. Origin shows that.
 * - A website whose name suddenly resolves to 127.0.0.1 (DNS rebinding) can even read the answer. Host shows
 * that.
 */
export function foreignness({ headers, method }: IncomingMessage): string | undefined {
  const { host = '', origin } = headers
  if (!loopback.test(host)) return 'this page answers only as 127.0.0.1 or localhost'
  if (method === 'GET' || method === 'HEAD') return undefined
  // A browser always sends Origin with a POST. curl never does.
  if (origin !== undefined && origin !== `http://${host}`) return 'only the page itself may press its buttons'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return 'only the page itself may press its buttons'
  return undefined
}
