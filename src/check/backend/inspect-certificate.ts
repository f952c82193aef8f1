import { isIP } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'

/** The result of a TLS handshake with one address. */
export type Inspected =
  | {
      readonly kind: 'shown'
      readonly ms: number
      /** Why the gate would refuse the certificate: the code of OpenSSL or Node. */
      readonly problem: string | undefined
      readonly certificate: PeerCertificate
    }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'silent' }

/** The address, and what its certificate must be. */
interface InspectOptions {
  /** The name that the certificate must have. */
  readonly host: string
  readonly address: string
  readonly port: number
  /** Milliseconds. */
  readonly limit: number
  readonly clock: () => number
}

/** Makes a TLS handshake as the gate does, but also reads a certificate that the gate would refuse. */
export function inspectCertificate({
  host,
  address,
  port,
  limit,
  clock,
}: InspectOptions): Promise<Inspected> {
  return new Promise((resolve) => {
    const began = clock()
    const socket = connect({
      host: address,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false, // judged below; nothing is ever sent on this connection
    })
    const settle = (inspected: Inspected): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(inspected)
    }
    const timer = setTimeout(() => settle({ kind: 'silent' }), limit)
    socket.once('secureConnect', () => {
      const problem = socket.authorized ? undefined : String(socket.authorizationError)
      settle({ kind: 'shown', ms: clock() - began, problem, certificate: socket.getPeerCertificate() })
    })
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle({ kind: 'failed', code: error.code ?? error.message }),
    )
    socket.once('close', () => settle({ kind: 'failed', code: 'closed' }))
  })
}
