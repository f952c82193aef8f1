import winston from 'winston'
import { createLogLine, type LogLineOptions } from './log-line.ts'

/** Writes lines to the log: a sentence, and fields for machines. Never pass a token or a query string. */
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
  const line = createLogLine(options)
  const logger = winston.createLogger({
    level: options.level,
    // One step instead of winston's three, because each question has a line.
    format: winston.format.printf(({ level, message, ...fields }) => line(level, String(message), fields)),
    transports: [new winston.transports.Stream({ stream: options.stream })],
  })
  return {
    error: (message, fields) => void logger.error(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    debug: (message, fields) => void logger.debug(message, fields),
    debugs: options.level === 'debug',
    linesDropped: () => options.stream.linesDropped?.() ?? 0,
  }
}
