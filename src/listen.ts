import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect, isIP } from 'node:net'
import { dirname } from 'node:path'

/** Where a server listens. `inherited` is a socket that systemd opened for us. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'inherited'; readonly fd: number }

/** Why a listener could not be opened, as one sentence with the cure. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** Node's default of 511 gives nginx instant errors under a burst; the kernel caps this at net.core.somaxconn. */
const BACKLOG = 4096
/** nginx runs as another user: it reaches the socket through the group. */
const SOCKET_MODE = 0o660

/** Opens the listener. A socket file that nobody listens on any more is replaced. @throws {ListenError} */
export async function listen(server: Server, address: ListenAddress): Promise<void> {
  try {
    await open(server, address)
  } catch (error) {
    const code = codeOf(error)
    if (address.kind !== 'unix' || code !== 'EADDRINUSE') throw listenError(address, code)
    await removeStaleSocket(address.path)
    await open(server, address).catch((again: unknown) => {
      throw listenError(address, codeOf(again))
    })
  }
}

/** The address as the settings write it. */
export function formatAddress(address: ListenAddress): string {
  switch (address.kind) {
    case 'tcp':
      return address.host.includes(':')
        ? `[${address.host}]:${address.port}`
        : `${address.host}:${address.port}`
    case 'unix':
      return `unix:${address.path}`
    case 'inherited':
      return `systemd socket (fd ${address.fd})`
  }
}

/** Whether other machines can reach it, as far as the address tells. */
export function isPublic(address: ListenAddress): boolean {
  return address.kind === 'tcp' && !isLoopback(address.host)
}

/** Whether a host name or an address (IPv6 without brackets) means this machine to itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * Where a client on this machine reaches it. `0.0.0.0` and `::` are every address of the machine; any of them will do.
 * @throws for a socket that systemd opened: nobody knows its address.
 */
export function dial(address: ListenAddress): { socketPath: string } | { host: string; port: number } {
  if (address.kind === 'unix') return { socketPath: address.path }
  if (address.kind === 'inherited') throw new Error(`nobody can connect to a ${formatAddress(address)}`)
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  return { host: everywhere[address.host] ?? address.host, port: address.port }
}

function open(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const opened = (): void => {
      server.off('error', reject)
      resolve()
    }
    switch (address.kind) {
      case 'tcp':
        server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, opened)
        return
      case 'inherited':
        // Here Node takes the length of the line as an argument only: as an option it would become 511 again.
        server.listen({ fd: address.fd }, BACKLOG, opened)
        return
      case 'unix': {
        // The file must never be wider open than its final mode, so the mask narrows it from its first moment.
        const mask = process.umask(0o117)
        try {
          server.listen({ path: address.path, backlog: BACKLOG }, () => {
            chmodSync(address.path, SOCKET_MODE)
            opened()
          })
        } finally {
          process.umask(mask)
        }
      }
    }
  })
}

async function removeStaleSocket(path: string): Promise<void> {
  if (!lstatSync(path).isSocket()) {
    throw new ListenError(
      `cannot listen on unix:${path}: a file that is no socket is in the way; move it or choose another path`,
    )
  }
  if (await isLive(path)) {
    throw new ListenError(
      `cannot listen on unix:${path}: another process is listening there; stop it or choose another path`,
    )
  }
  unlinkSync(path)
}

function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'))
  })
}

const cures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process is listening there; stop it or choose another port',
  EACCES: 'no permission; choose a port above 1023 or a folder this user may write to',
  EADDRNOTAVAIL: 'this machine has no such address; use one of its own, such as 127.0.0.1',
  ENOENT: 'the folder does not exist; create it first',
  ENOTFOUND: 'the host name is not known; use an IP address',
  EINVAL: 'the path is too long for a socket (about 100 bytes) or the inherited socket cannot be listened on',
}

function listenError(address: ListenAddress, seen: string): ListenError {
  // libuv tells a missing folder as EACCES.
  const isMissing = address.kind === 'unix' && seen === 'EACCES' && !existsSync(dirname(address.path))
  const code = isMissing ? 'ENOENT' : seen
  return new ListenError(
    `cannot listen on ${formatAddress(address)}: ${cures[code] ?? 'the system refused; try another address or port'} (${code})`,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
