import type { UnavailableReason } from '../verdict.ts'

const reasonOfCode: Readonly<Record<string, UnavailableReason>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EADDRNOTAVAIL: 'refused',
  EACCES: 'refused',
  EPERM: 'refused',
  ENOENT: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'closed',
  UND_ERR_HEADERS_OVERFLOW: 'not-http',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'not-http',
  ERR_NOT_HTTP: 'not-http',
  EPROTO: 'tls',
}

/** OpenSSL's verdicts on a certificate carry its own names, all of these families. */
const tlsCode =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/

/**
 * Names why a question got no answer, from the code of the error or of the first cause that has one.
 * What is not known as a failure of the network or of the peer is ours: `internal`.
 */
export function failureReason(error: unknown): UnavailableReason {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof AggregateError && at.errors.length > 0) return failureReason(at.errors.at(-1))
    const code = 'code' in at && typeof at.code === 'string' ? at.code : ''
    const reason = reasonOfCode[code]
    if (reason !== undefined) return reason
    if (code.startsWith('HPE_') || at.name === 'HTTPParserError') return 'not-http'
    if (tlsCode.test(code)) return 'tls'
  }
  return 'internal'
}
