import { connect } from 'node:net'
import type { Asked, Backend } from './backend.ts'
import type { Scope } from './scope.ts'
import { type Site, startSite } from './site.ts'

/** The only token that the backend allows. Whoever is not given it cannot guess it. */
export const GOOD = 'token=Vd3kQ0xYp9ZtR7mB'
export const BAD = 'token=bad'

/** Milliseconds after which a connection that is still open counts as hung. */
export const PATIENCE = 5_000

/** What nginx sends in place of every file. So it shows when a viewer was let in, whatever the path. */
const FILE = 'GIF89a'

export interface Received {
  /** Everything that came back, latin-1. */
  readonly text: string
  /** The status of each answer on the connection; HTTP/0.9 has none. */
  readonly statuses: readonly number[]
  /** The file came, or an answer that nginx gives only after an allow. */
  readonly isLetIn: boolean
  readonly isHung: boolean
}

/**
 * Settings with which one address may ask all that a test asks at a time. A request that makes the backend
 * look unavailable is let in, so it shows.
 */
export const hostileEnvironment = {
  DEFAULT_ACTION: 'allow',
  BACKEND_CONCURRENCY: '1000',
  BACKEND_TIMEOUT: '2500ms',
}

/**
 * A site for hostile requests: nginx with room for lines of 64 KB and on-failure-allow, the gate with
 * DEFAULT_ACTION=allow, and a backend that allows exactly GOOD.
 */
export async function startHostileSite(scope: Scope): Promise<Site> {
  const site = await startSite(scope, {
    environment: hostileEnvironment,
    nginx: {
      onFailure: 'allow',
      http: 'large_client_header_buffers 8 64k;',
      server: 'location / { LOCATION empty_gif; }',
    },
  })
  site.backend.answer = allowsOnlyGood
  return site
}

/** The backend's rule: one of the parameters is exactly GOOD. The query begins at the first `?`. */
export const allowsOnlyGood: Backend['answer'] = ({ target }, response) => {
  response.writeHead(hasGood(target) ? 200 : 403).end()
}

export function hasGood(target: string): boolean {
  return target
    .replace(/^[^?]*\??/, '')
    .split('&')
    .includes(GOOD)
}

/** Whether a question is well-formed: a target and headers of printable ASCII, each header once. */
export function isConservative({ target, headers }: Pick<Asked, 'target' | 'headers'>): boolean {
  const values = Object.values(headers)
  return /^[\x21-\x7e]+$/.test(target) && values.every((value) => /^[\x20-\x7e]*$/.test(value))
}

/** What the backend was asked, by the client's address. */
export function questionsByAddress({ backend }: Site): ReadonlyMap<string, readonly Asked[]> {
  const questions = new Map<string, Asked[]>()
  for (const asked of backend.asked) {
    const address = asked.headers['X-Real-Ip'] ?? ''
    questions.set(address, [...(questions.get(address) ?? []), asked])
  }
  return questions
}

/** An address that only the `n`th client has. nginx sees it, because all of 127.0.0.0/8 is this machine. */
export function addressOf(n: number): string {
  return `127.${10 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
}

/**
 * Sends bytes on a connection of its own. Closes this side at the first answer, or after `silence`
 * milliseconds without one: half a request ends then. Never rejects.
 */
export function sendBytes(
  to: { readonly port: number; readonly from?: string; readonly silence?: number },
  bytes: Buffer | string,
): Promise<Received> {
  return new Promise((resolve) => {
    let text = ''
    let isHung = false
    const localAddress = to.from === undefined ? {} : { localAddress: to.from }
    const socket = connect({ port: to.port, host: '127.0.0.1', ...localAddress })
    const hung = setTimeout(() => {
      isHung = true
      socket.destroy()
    }, PATIENCE)
    let quiet = setTimeout(() => socket.end(), to.silence ?? 3_000)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      clearTimeout(quiet)
      quiet = setTimeout(() => socket.end(), 10)
    })
    // The connection was reset while the client was still sending: what arrived before counts.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(hung)
      clearTimeout(quiet)
      const statuses = Array.from(text.matchAll(/HTTP\/1\.[01] (\d{3})/g), ([, status]) => Number(status))
      const isLetIn = text.includes(FILE) || statuses.some((status) => [200, 206, 304, 404].includes(status))
      resolve({ text, statuses, isLetIn, isHung })
    })
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}

/** Runs `act` for every item, sixteen at a time. The results are in order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
  width = 16,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await act(items[index] as Item, index)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return results
}

/** How often each key occurs, as `a 3, b 1`. */
export function tally(keys: readonly (string | number)[]): string {
  const counts = new Map<string | number, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return Array.from(counts, ([key, count]) => `${key || 'no status'}: ${count}`)
    .sort()
    .join(', ')
}
