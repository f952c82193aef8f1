import { Agent } from 'node:http'
import { get } from './http-get.ts'
import type { Nginx } from './nginx.ts'
import type { Scope } from './scope.ts'
import { newViewer } from './site.ts'

export interface ViewerOptions {
  /** nginx's address; 127.0.0.1 unless given. With `::1` the viewer is an IPv6 one. */
  readonly host?: string
  /** The viewer's own address, which nginx sees: any of 127.0.0.0/8. */
  readonly from?: string
  /** A User-Agent that no other viewer has, unless given. */
  readonly userAgent?: string
}

/** One viewer as nginx sees it: an address and a User-Agent. */
export interface Viewer {
  readonly userAgent: string
  /** Asks for a target, which is sent as it is. The result is the status. */
  get(target: string): Promise<number>
}

/** A viewer whose player keeps its connection open, as players do. */
export function createViewer(scope: Scope, nginx: Nginx, options: ViewerOptions = {}): Viewer {
  const { host = '127.0.0.1', from, userAgent = newViewer() } = options
  const agent = new Agent({ keepAlive: true, ...(from === undefined ? {} : { localAddress: from }) })
  scope.after(() => agent.destroy())
  return {
    userAgent,
    async get(target) {
      const { status } = await get({ host, port: nginx.port, agent }, target, { 'User-Agent': userAgent })
      return status
    },
  }
}
