/**
 * What nginx tells us of a client request. Every text is printable ASCII without control bytes (other bytes percent-encoded), so a
 * line break can delimit them and none of them can break a request that is sent on.
 */
export interface Subrequest {
  /** The client's IP address; IPv4 is never written in its IPv6-mapped form. */
  readonly address: string
  /** `scheme://host`, with the port only when the client wrote one. */
  readonly origin: string
  /** The path that nginx will serve: normalised by nginx, percent-encoded by us, starts with `/`. */
  readonly path: string
  /** The client's query as sent, without the `?`; empty when there is none. */
  readonly query: string
  /** The client's User-Agent; empty when there is none. */
  readonly userAgent: string
  /** `X-Playback-Session-Id`, which AVPlayer sends; empty when there is none. */
  readonly playbackId: string
  /** nginx's `$request_id`, for the log alone: no part of what is judged or asked. A re-check has none. */
  readonly requestId?: string
}
