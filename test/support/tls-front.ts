import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as SecureServer } from 'node:https'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { KeyAndCertificate } from './certificates.ts'
import type { Scope } from './scope.ts'

/** How a backend behind https:// answers a connection. */
export type Handshake =
  | { readonly kind: 'tls'; readonly with: KeyAndCertificate }
  /** Only knows TLS 1.1. */
  | { readonly kind: 'old'; readonly with: KeyAndCertificate }
  /** Speaks HTTP without TLS. */
  | { readonly kind: 'plain' }
  | { readonly kind: 'silent' }
  /** Answers the handshake with a fatal alert, as a proxy does that has no site of that name. */
  | { readonly kind: 'alert' }

export interface TlsFront {
  readonly port: number
  /** From now on. Open connections end, as when a backend is restarted. */
  meet(handshake: Handshake): void
  /** Connections that are open now. */
  open(): number
}

const OLD = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
/** Level fatal, `unrecognized_name` (RFC 6066 section 3). */
const ALERT = Buffer.from('1503030002' + '0270', 'hex')

/** A backend on 127.0.0.1 whose TLS can go wrong while it runs. */
export async function startTlsFront(
  scope: Scope,
  first: Handshake,
  answer: RequestListener,
): Promise<TlsFront> {
  const sockets = new Set<Socket>()
  const serverOf = (handshake: Handshake): Server | SecureServer | undefined => {
    if (handshake.kind === 'plain') return createPlainServer(answer)
    if (handshake.kind === 'tls') return createTlsServer(handshake.with, answer)
    if (handshake.kind === 'old') return createTlsServer({ ...handshake.with, ...OLD }, answer)
    return undefined
  }
  let current = first
  let server = serverOf(first)
  const front = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    if (server !== undefined) server.emit('connection', socket)
    else if (current.kind === 'alert') socket.end(ALERT)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  scope.after(async () => {
    cut()
    await new Promise((resolve) => front.close(resolve))
  })
  return {
    port: (front.address() as AddressInfo).port,
    meet(handshake) {
      current = handshake
      server = serverOf(handshake)
      cut()
    },
    open: () => sockets.size,
  }
}
