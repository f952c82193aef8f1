import { request } from 'node:http'
import type { Nginx } from './nginx.ts'
import type { Scope } from './scope.ts'

/** One response that goes on for minutes, as MPEG-TS. */
export interface LongResponse {
  readonly target: string
  status(): Promise<number>
  /** It has ended, and nobody here has ended it. */
  isCut(): boolean
  close(): void
}

export function startLongResponse(
  scope: Scope,
  nginx: Nginx,
  target: string,
  userAgent: string,
): LongResponse {
  let isOurs = false
  let hasEnded = false
  const options = {
    ...{ host: '127.0.0.1', port: nginx.port, path: target, agent: false as const },
    headers: { 'User-Agent': userAgent, Host: 'localhost' },
  }
  const asking = request(options)
  const status = new Promise<number>((resolve, reject) => {
    asking.on('error', reject)
    asking.on('response', (response) => {
      response.on('error', () => {})
      response.on('close', () => {
        hasEnded = true
      })
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
  status.catch(() => {})
  asking.end()
  const close = (): void => {
    isOurs = true
    asking.destroy()
  }
  scope.after(close)
  return { target, status: () => status, isCut: () => hasEnded && !isOurs, close }
}
