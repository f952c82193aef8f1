import type { ServerResponse } from 'node:http'

/** The most past events that a new listener gets. */
const REMEMBERED = 60
/** The most listeners at a time, and the most bytes that one of them may leave unread. */
const MOST_LISTENERS = 50
const MOST_UNREAD = 1_000_000
/** Milliseconds between signs of life. Proxies end a connection that is silent for a minute. */
const HEARTBEAT = 15_000

/** Sends events to all pages that listen. */
export interface EventStream {
  /**
   * Makes the response a listener. `lastId` is the last event that it has received; `first` is sent before
   * all others.
   */
  add(response: ServerResponse, lastId: number, first: string): void
  /** Sends a text that later listeners do not get. */
  say(text: string): void
  /** Sends an event that later listeners get, too. */
  tell(name: string, data: unknown): void
  end(): void
}

/** One event in the format of Server-Sent Events. */
export function eventText(name: string, data: unknown, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Creates a stream of Server-Sent Events. */
export function createEventStream(): EventStream {
  const listeners = new Set<ServerResponse>()
  const past: { readonly id: number; readonly text: string }[] = []
  // Ids begin with the time. So a page that has events of an earlier process gets the events that it missed.
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
