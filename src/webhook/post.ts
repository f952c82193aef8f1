import { createClient, failureReason, sendUntil } from '../client/client.ts'
import type { Endpoint } from '../client/endpoint.ts'
import type { UnavailableReason } from '../verdict.ts'

/** The result of one post. */
export type Posted =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason }

/**
 * Posts a JSON text. Resolves when the head of the answer is there, and never rejects. When `signal` aborts,
 * the result is a timeout.
 */
export type Post = (json: string, signal: AbortSignal) => Promise<Posted>

/** Posts over its own connection. */
interface Poster {
  readonly post: Post
  close(): Promise<void>
}

/**
 * Posts to one receiver as the gate asks backends: redirects are not followed, certificates are verified,
 * `HTTP_PROXY` is ignored.
 * @param deadline milliseconds that one post may take
 */
export function createPoster(endpoint: Endpoint, deadline: number): Poster {
  const client = createClient(endpoint, 1, deadline)
  const target = endpoint.query === '' ? endpoint.path : `${endpoint.path}?${endpoint.query}`
  const headers: Record<string, string> = {
    Host: endpoint.authority,
    Accept: '*/*',
    'Content-Type': 'application/json',
  }
  if (endpoint.authorization !== undefined) headers['Authorization'] = endpoint.authorization

  return {
    async post(json, signal) {
      try {
        const request = { method: 'POST', target, headers, body: json } as const
        const { status } = await sendUntil(client, request, signal)
        return { kind: 'answered', status }
      } catch (error) {
        return { kind: 'unavailable', reason: signal.aborted ? 'timeout' : failureReason(error) }
      }
    },
    close: () => client.close(),
  }
}
