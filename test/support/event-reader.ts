import { get } from 'node:http'
import type { Scope } from './scope.ts'

/** One Server-Sent Event. */
export interface ServerEvent {
  readonly id: string
  readonly name: string
  readonly data: unknown
}

export interface EventReader {
  /** All events so far. */
  readonly events: readonly ServerEvent[]
  readonly status: number
}

/** Listens to an event stream on 127.0.0.1 until the scope ends. */
export function readEvents(
  scope: Scope,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  const events: ServerEvent[] = []
  return new Promise((resolve, reject) => {
    const request = get({ port, path, host: '127.0.0.1', agent: false, headers }, (response) => {
      let rest = ''
      response.setEncoding('utf8')
      response.on('error', () => undefined)
      response.on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
          if (field('data') !== '') {
            events.push({ id: field('id'), name: field('event'), data: JSON.parse(field('data')) })
          }
        }
      })
      resolve({ events, status: response.statusCode ?? 0 })
    })
    request.on('error', reject)
    scope.after(() => void request.destroy())
  })
}
