import { createRequest } from '../../client/alta-contract.ts'
import { createClient, failureReason, type Reply, sendUntil } from '../../client/client.ts'
import type { Endpoint } from '../../client/endpoint.ts'
import type { Subrequest } from '../../subrequest.ts'
import type { UnavailableReason } from '../../verdict.ts'

/** The result of one question. Times are milliseconds. */
export type Asked =
  | { readonly kind: 'answered'; readonly reply: Reply; readonly ms: number }
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason; readonly ms: number }

/** Asks one backend. */
interface Asker {
  /** Asks with a token that was never given out, a new one each time. @param limit milliseconds */
  ask(limit: number): Promise<Asked>
  close(): Promise<void>
}

/** Which backend is asked, and how. */
interface AskerOptions {
  readonly endpoint: Endpoint
  /** The parameter that carries a credential. */
  readonly tokenParam: string
  /** Returns a word that cannot be guessed. */
  readonly invent: () => string
  readonly clock: () => number
  /** Milliseconds that one question may take. */
  readonly deadline: number
}

/** Asks with the code of the gate. No value is a client's; each value says that it belongs to a check. */
export function createAsker({ endpoint, tokenParam, invent, clock, deadline }: AskerOptions): Asker {
  const client = createClient(endpoint, 1, deadline)
  return {
    async ask(limit) {
      const word = `alta-auth-check-${invent()}`
      const subrequest: Subrequest = {
        address: '192.0.2.1', // for documentation only: nobody's (RFC 5737)
        origin: 'http://alta-auth-check.invalid',
        path: '/alta-auth-check/index.m3u8',
        query: `${tokenParam}=${word}`,
        userAgent: 'alta-auth check',
        playbackId: '',
      }
      const began = clock()
      const signal = AbortSignal.timeout(Math.max(1, Math.round(limit)))
      try {
        const reply = await sendUntil(client, createRequest(endpoint, subrequest, word), signal)
        return { kind: 'answered', reply, ms: clock() - began }
      } catch (error) {
        const reason = signal.aborted ? 'timeout' : failureReason(error)
        return { kind: 'unavailable', reason, ms: clock() - began }
      }
    },
    close: () => client.close(),
  }
}
