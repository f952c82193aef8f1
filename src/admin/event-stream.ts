import type { ServerResponse } from 'node:http'
import type { Return } from '../decision/stored.ts'
import type { Session, SessionEnd } from '../session/session.ts'
import type { SessionView } from '../session/session-view.ts'
import type { RecentDenials } from './recent-denials.ts'

/** An end, as the live page is told of it. */
interface EndedView {
  readonly session: string
  readonly why: SessionEnd
}

/** What the event stream shows, and who is called when that fails. */
interface EventStreamOptions {
  /** The data of the event `state`; called once a second while there is a reader. */
  readonly state: () => object
  readonly viewOf: (session: Session) => SessionView
  readonly denials: Pick<RecentDenials, 'after' | 'latest'>
  readonly onInternalError: (error: unknown) => void
}

/** Server-Sent Events for the live page. Without a reader it costs nothing. */
export interface EventStream {
  /** Makes the response a reader. False when there are too many readers, or after `end`. */
  add(response: ServerResponse): boolean
  opened(session: Session): void
  /** A session of the store is in the table again. One that was resumed is told as opened, too. */
  returned(session: Session, as: Return): void
  ended(session: Session, why: SessionEnd): void
  /** There is a new denial. */
  denied(): void
  /** Closes the streams of all readers. */
  end(): void
}

/** The most readers at a time. */
export const MAX_READERS = 32
/** Bytes that a reader may leave unread. A reader with more is disconnected. */
const MAX_UNREAD = 2_097_152
/**
 * The most changes in one batch, and its most bytes. A larger batch becomes the event `reload`: to fetch all
 * sessions again is cheaper than to read all changes.
 */
const MAX_CHANGES = 1000
const MAX_BATCH = 1_048_576
/** Milliseconds between two `state` events, and from the first change of a batch until the batch is sent. */
const STATE_EVERY = 1_000
const BATCH_FOR = 250
/** After this many `state` events a comment is sent, as a sign of life for proxies. */
const COMMENT_AFTER = 15

/** Creates the stream. Its timers run only while there is a reader, and hold up no process that ends. */
export function createEventStream(options: EventStreamOptions): EventStream {
  const { state, viewOf, denials, onInternalError } = options
  const readers = new Set<ServerResponse>()
  const opened = new Map<string, () => SessionView>()
  const ended = new Map<string, EndedView>()
  let changes = 0
  let sentDenial = 0
  let lastState = ''
  let isOver = false
  let ticker: NodeJS.Timeout | undefined
  let batch: NodeJS.Timeout | undefined

  const send = (text: string): void => {
    // One buffer for all readers: what slow readers leave unread is in memory once.
    const bytes = Buffer.from(text)
    for (const reader of readers) {
      if (reader.writableLength > MAX_UNREAD) reader.destroy()
      else reader.write(bytes)
    }
  }

  const start = (): void => {
    lastState = eventText('state', state())
    sentDenial = denials.latest()
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
    opened.clear()
    ended.clear()
    changes = 0
  }

  const flush = (): void => {
    batch = undefined
    guarded(() => {
      const text = changesText()
      const news = denials.after(sentDenial)
      sentDenial = denials.latest()
      send(news.length === 0 ? text : text + eventText('denied', { denials: news }))
    })
    forgetChanges()
  }

  const changesText = (): string => {
    if (changes > MAX_CHANGES) return eventText('reload', {})
    const parts = [
      opened.size === 0 ? '' : eventText('opened', { sessions: [...opened.values()].map((view) => view()) }),
      ended.size === 0 ? '' : eventText('ended', { sessions: [...ended.values()] }),
    ]
    const text = parts.join('')
    return text.length > MAX_BATCH ? eventText('reload', {}) : text
  }

  /** Catches the errors of a timer, which would end the process. */
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

  const begin = (id: string, view: () => SessionView): void => {
    if (++changes <= MAX_CHANGES) {
      // It was silent, and is resumed: the reader must not remove it.
      ended.delete(id)
      opened.set(id, view)
    }
    soon()
  }
  const finish = (end: EndedView): void => {
    if (++changes <= MAX_CHANGES) ended.set(end.session, end)
    soon()
  }
  const add = (session: Session): void => {
    if (readers.size > 0) begin(session.id, () => viewOf(session))
  }

  return {
    add(response) {
      // A response without a socket waits behind another answer on its connection. It would not learn that
      // the stream is closed.
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
        // The connection ends with the stream, so that no idle connection delays the stop.
        Connection: 'close',
      })
      response.write(lastState)
      return true
    },
    opened: add,
    returned(session, as) {
      if (as === 'adopted') add(session)
    },
    ended(session, why) {
      if (readers.size > 0) finish({ session: session.id, why })
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
