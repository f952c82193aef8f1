import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect, isIP } from 'node:net'
import { dirname } from 'node:path'

/** Where a server listens. `inherited` is a socket that systemd opened for us. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'inherited'; readonly fd: number }

/** A listener could not be opened. The message is one sentence: why, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/**
 * Connections that may wait. With Node's 511 a burst gives nginx errors. The kernel's cap:
 * net.core.somaxconn.
 */
const BACKLOG = 4096
/** nginx runs as another user and needs access through the group. */
const SOCKET_MODE = 0o660

/**
 * Opens the listener. A socket file without a listening process is replaced.
 * @throws {ListenError}
 */
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

/** The address as it is written in the settings. */
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

/** Whether other machines may reach it, judged by the address alone. */
export function isPublic(address: ListenAddress): boolean {
  return address.kind === 'tcp' && !isLoopback(address.host)
}

/** Whether a host name or an address (IPv6 without brackets) is a loopback one. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * Where a client on this machine connects to. `0.0.0.0` and `::` are all addresses of the machine, so
 * loopback is used for them.
 * @throws for a socket that systemd opened, whose address is not known
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
        // For a file descriptor Node ignores the option `backlog`; only the argument counts.
        server.listen({ fd: address.fd }, BACKLOG, opened)
        return
      case 'unix': {
        // The mask keeps others out between the creation of the file and its chmod.
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
  // libuv reports a missing folder as EACCES.
  const isMissing = address.kind === 'unix' && seen === 'EACCES' && !existsSync(dirname(address.path))
  const code = isMissing ? 'ENOENT' : seen
  return new ListenError(
    `cannot listen on ${formatAddress(address)}: ${cures[code] ?? 'the system refused; try another address or port'} (${code})`,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
