import { connect } from 'node:net'

/** A request, and when it is sent. */
export interface Arrival {
  /** Milliseconds after the begin. */
  readonly at: number
  /** Its bytes. */
  readonly wire: string
}

/** What became of a request. */
export interface Outcome {
  /** Milliseconds from the time when it was due to the end of its answer. */
  readonly took: number
  /** 0 when the connection ended without an answer. */
  readonly status: number
  /** X-Auth-Reason, or what happened to the connection. */
  readonly reason: string
}

/** The outcomes in the order of the arrivals, and what the generator itself did. */
export interface Sent {
  readonly outcomes: readonly Outcome[]
  /** Milliseconds that each request was sent after its time. */
  readonly lateness: readonly number[]
  /** CPU seconds of this process. */
  readonly cpu: number
}

type Take = (status: number, reason: string) => void

/** A kept-alive connection: sends one request after the other. */
interface Line {
  ask(wire: string, take: Take): void
  close(): void
}

/**
 * Sends each request in its time, however long earlier answers take: viewers do not wait for each other,
 * as the connections of wrk do. Connections are kept alive, and opened when none is free.
 * @param arrivals in the order of their times
 */
export async function sendInTime(port: number, arrivals: readonly Arrival[]): Promise<Sent> {
  const lines = new Set<Line>()
  const free: Line[] = []
  const outcomes: Outcome[] = []
  const lateness: number[] = []
  const cpuBefore = process.cpuUsage()
  const began = performance.now()
  const now = (): number => performance.now() - began

  await new Promise<void>((resolve) => {
    let answered = 0
    const freeLine = (): Line | undefined => {
      const line = free.pop()
      // nginx may have closed it meanwhile.
      return line === undefined || lines.has(line) ? line : freeLine()
    }
    const send = ({ at, wire }: Arrival, number: number): void => {
      lateness[number] = now() - at
      const line = freeLine() ?? openLine(port, lines)
      line.ask(wire, (status, reason) => {
        outcomes[number] = { took: now() - at, status, reason }
        if (status !== 0) free.push(line)
        if (++answered === arrivals.length) resolve()
      })
    }
    let next = 0
    const sendDue = (): void => {
      for (let due = arrivals[next]; due !== undefined && due.at <= now(); due = arrivals[next])
        send(due, next++)
      if (next < arrivals.length) setTimeout(sendDue, 1)
    }
    sendDue()
  })

  const { user, system } = process.cpuUsage(cpuBefore)
  for (const line of lines) line.close()
  return { outcomes, lateness, cpu: (user + system) / 1_000_000 }
}

function openLine(port: number, lines: Set<Line>): Line {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let take: Take | undefined
  let received = ''
  const finish: Take = (...outcome) => {
    const taking = take
    take = undefined
    received = ''
    taking?.(...outcome)
  }
  const end = (why: string): void => {
    lines.delete(line)
    socket.destroy()
    finish(0, why)
  }
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    const head = received.indexOf('\r\n\r\n')
    if (head === -1) return
    const [, length = '0'] = /^content-length: (\d+)/im.exec(received) ?? []
    if (received.length < head + 4 + Number(length)) return
    const [, reason = ''] = /^x-auth-reason: (\S+)/im.exec(received) ?? []
    finish(Number(received.slice(9, 12)), reason)
  })
  socket.on('error', (error) => end(error.message))
  socket.on('close', () => end('the connection was closed'))
  const line: Line = {
    ask(wire, taking) {
      take = taking
      socket.write(wire, 'latin1')
    },
    close: () => socket.destroy(),
  }
  lines.add(line)
  return line
}
