import type { ServerResponse } from 'node:http'

/** How many events of the past a new listener is told. */
const REMEMBERED = 60
/** Listeners at a time, and bytes that one of them may leave unread. */
const MOST_LISTENERS = 50
const MOST_UNREAD = 1_000_000
/** Milliseconds between signs of life: proxies end a connection that is silent for a minute. */
const HEARTBEAT = 15_000

export interface EventStream {
  /** Takes the response over as a listener. `lastId` is the last event that it has had; `first` comes before all others. */
  add(response: ServerResponse, lastId: number, first: string): void
  /** Sends something that is forgotten at once. */
  say(text: string): void
  /** Sends something that later listeners are told too. */
  tell(name: string, data: unknown): void
  end(): void
}

/** One event as Server-Sent Events write it. */
export function eventText(name: string, data: unknown, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Server-Sent Events for any number of pages. */
export function createEventStream(): EventStream {
  const listeners = new Set<ServerResponse>()
  const past: { readonly id: number; readonly text: string }[] = []
  // From the clock, so that a page that was told by a predecessor of this process is told what it has missed.
  let id = Date.now()

  const say = (text: string): void => {
    for (const listener of listeners) {
      if (listener.writableLength > MOST_UNREAD) listener.destroy()
      else listener.write(text)
    }
  }
  const heartbeat = setInterval(() => say(':\n\n'), HEARTBEAT)
  return {
    add(response, lastId, first) {
      if (listeners.size >= MOST_LISTENERS) {
        response.writeHead(503).end('too many pages are open\n')
        return
      }
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        // nginx passes each event on at once.
        'X-Accel-Buffering': 'no',
      })
      response.write(first)
      for (const event of past) if (event.id > lastId) response.write(event.text)
      listeners.add(response)
      response.on('close', () => listeners.delete(response))
    },
    say,
    tell(name, data) {
      id++
      const text = eventText(name, data, id)
      past.push({ id, text })
      if (past.length > REMEMBERED) past.shift()
      say(text)
    },
    end() {
      clearInterval(heartbeat)
      for (const listener of listeners) listener.end()
    },
  }
}
