import { createClient, failureReason, sendUntil } from '../backend/client.ts'
import type { Endpoint } from '../backend/endpoint.ts'
import type { UnavailableReason } from '../verdict.ts'

/** What came of one post. */
export type Posted =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason }

/** Posts a JSON text; resolves at the head of the answer. Never rejects; `signal` ends it as a timeout. */
export type Post = (json: string, signal: AbortSignal) => Promise<Posted>

export interface Poster {
  readonly post: Post
  close(): Promise<void>
}

/**
 * Posts to one receiver as backends are asked: redirects not followed, certificates verified, `HTTP_PROXY` ignored. `deadline` is what
 * one post may take, in milliseconds.
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
