import type { ServerResponse } from 'node:http'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'
import type { RecentDenials } from './recent-denials.ts'

export interface EventStreamOptions {
  /** The event `state`; asked once a second while somebody reads. */
  readonly state: () => object
  readonly viewOf: (session: Session) => SessionView
  readonly denials: Pick<RecentDenials, 'after' | 'latest'>
  readonly onInternalError: (error: unknown) => void
}

/** Server-Sent Events for the live page. Costs nothing while nobody reads. */
export interface EventStream {
  /** Takes the response over as a reader; false when there are too many, or at the end. */
  add(response: ServerResponse): boolean
  opened(session: Session): void
  ended(session: Session, why: SessionEnd): void
  /** There is a denial more. */
  denied(): void
  /** Ends it for all readers. */
  end(): void
}

/** Readers at a time. */
export const MAX_READERS = 32
/** Bytes that a reader may leave unread before it is dropped. */
const MAX_UNREAD = 2_097_152
/** Past it, in changes and in bytes of a batch, reading all sessions anew is less than being told. */
const MAX_CHANGES = 1000
const MAX_BATCH = 1_048_576
/** Milliseconds between two `state`, and from the first change of a batch until it is sent. */
const STATE_EVERY = 1_000
const BATCH_FOR = 250
/** After how many `state` a comment follows: a sign of life for proxies that count them. */
const COMMENT_AFTER = 15

export function createEventStream(options: EventStreamOptions): EventStream {
  const { state, viewOf, denials, onInternalError } = options
  const readers = new Set<ServerResponse>()
  let opened: Session[] = []
  let ended: { session: string; why: SessionEnd }[] = []
  let changes = 0
  let toldDenial = 0
  let lastState = ''
  let isOver = false
  let ticker: NodeJS.Timeout | undefined
  let batch: NodeJS.Timeout | undefined

  const send = (text: string): void => {
    // One buffer for all of them: what slow readers leave unread is held once.
    const bytes = Buffer.from(text)
    for (const reader of readers) {
      if (reader.writableLength > MAX_UNREAD) reader.destroy()
      else reader.write(bytes)
    }
  }

  const start = (): void => {
    lastState = eventText('state', state())
    toldDenial = denials.latest()
    let ticks = 0
    ticker = setInterval(() => {
      guarded(() => {
        lastState = eventText('state', state())
        send(++ticks % COMMENT_AFTER === 0 ? `${lastState}:\n\n` : lastState)
      })
    }, STATE_EVERY).unref()
  }

  const stop = (): void => {
    clearInterval(ticker)
    clearTimeout(batch)
    batch = undefined
    forgetChanges()
  }

  const forgetChanges = (): void => {
    opened = []
    ended = []
    changes = 0
  }

  const flush = (): void => {
    batch = undefined
    guarded(() => {
      const told = changesText()
      const news = denials.after(toldDenial)
      toldDenial = denials.latest()
      send(news.length === 0 ? told : told + eventText('denied', { denials: news }))
    })
    forgetChanges()
  }

  const changesText = (): string => {
    if (changes > MAX_CHANGES) return eventText('reload', {})
    const parts = [
      opened.length === 0 ? '' : eventText('opened', { sessions: opened.map(viewOf) }),
      ended.length === 0 ? '' : eventText('ended', { sessions: ended }),
    ]
    const text = parts.join('')
    return text.length > MAX_BATCH ? eventText('reload', {}) : text
  }

  /** A fault in a timer would end the process. */
  const guarded = (act: () => void): void => {
    try {
      act()
    } catch (error) {
      onInternalError(error)
    }
  }

  const soon = (): void => {
    batch ??= setTimeout(flush, BATCH_FOR).unref()
  }

  return {
    add(response) {
      // Without a socket it waits behind another answer on its connection, and might never hear that this is closed.
      if (isOver || response.socket === null || readers.size >= MAX_READERS) return false
      if (readers.size === 0) start()
      readers.add(response)
      response.on('close', () => {
        readers.delete(response)
        if (readers.size === 0) stop()
      })
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        // nginx passes each event on at once.
        'X-Accel-Buffering': 'no',
        // A reader's connection ends with it, so that it holds up no stop.
        Connection: 'close',
      })
      response.write(lastState)
      return true
    },
    opened(session) {
      if (readers.size === 0) return
      if (++changes <= MAX_CHANGES) opened.push(session)
      soon()
    },
    ended(session, why) {
      if (readers.size === 0) return
      if (++changes <= MAX_CHANGES) ended.push({ session: session.id, why })
      soon()
    },
    denied() {
      if (readers.size > 0) soon()
    },
    end() {
      isOver = true
      stop()
      for (const reader of readers) {
        if (reader.writableLength > 0) reader.destroy()
        else reader.end()
      }
    },
  }
}

function eventText(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
