import winston from 'winston'
import { createLogLine, type LogLineOptions } from './log-line.ts'

/**
 * Writes lines to the log: a sentence, and fields for machines; undefined ones are left out. Never pass a
 * token or a query string.
 */
export interface Log {
  error(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  info(message: string, fields?: object): void
  debug(message: string, fields?: object): void
  /** Whether debug lines are written. Ask before you build one. */
  readonly debugs: boolean
  /** How many lines were dropped since the start; undefined where the stream does not count them. */
  readonly linesDropped?: () => number
}

/** The least level that is written, how lines look, and where they go. */
export interface LogOptions extends LogLineOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly stream: NodeJS.WritableStream & { readonly linesDropped?: () => number }
}

/** Creates the log: JSON lines (`time`, `level`, `message` and the fields), or lines for people. */
export function createLog(options: LogOptions): Log {
  const { stream } = options
  const line = createLogLine(options)
  // The transport builds the line, because each question has one: in one step, and only where it is kept.
  const transport = new winston.transports.Stream({
    stream,
    log: ({ level, message, fields }: Entry) => stream.write(`${line(level, message, fields)}\n`),
  })
  const logger = winston.createLogger({ level: options.level, transports: transport })
  // The logger would pass each line through three streams to the transport, which costs more than the line.
  const writer = (level: LogOptions['level']): Log['info'] =>
    logger.isLevelEnabled(level)
      ? (message, fields = {}) => void transport.log?.({ level, message, fields } satisfies Entry, done)
      : () => {}
  return {
    error: writer('error'),
    warn: writer('warn'),
    info: writer('info'),
    debug: writer('debug'),
    debugs: logger.isLevelEnabled('debug'),
    linesDropped: () => stream.linesDropped?.() ?? 0,
  }
}

const done = (): void => {}

/** What goes through winston for one line. */
interface Entry {
  readonly level: string
  readonly message: string
  readonly fields: object
}
