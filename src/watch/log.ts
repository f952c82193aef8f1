import winston from 'winston'
import { printable } from '../printable.ts'
import { prettyLine } from './pretty-line.ts'

/** What the rooms may do with a log: a sentence, and fields for machines. Never a token, never a query string. */
export interface Log {
  error(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  info(message: string, fields?: object): void
  debug(message: string, fields?: object): void
  /** Whether debug lines are written, asked before they are built. */
  readonly debugs: boolean
  /** How many lines nobody took, where the stream knows. */
  readonly linesDropped?: () => number
}

export interface LogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly format: 'json' | 'pretty'
  /** Colours for `pretty`. */
  readonly colour: boolean
  readonly stream: NodeJS.WritableStream & { readonly linesDropped?: () => number }
}

/** JSON lines (`time`, `level`, `message` and the fields) or lines for people. */
export function createLog(options: LogOptions): Log {
  const { colorize, printf } = winston.format
  // One step instead of winston's three: each question has a line.
  const jsonLines = printf(({ level, message, ...fields }) =>
    // What JSON may hold as it is could still turn a terminal upside down.
    printable(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })),
  )
  const colours = colorize()
  const paint = (level: string, text: string): string =>
    options.colour ? colours.colorize(level, text) : text
  const pretty = printf(({ level, message, ...fields }) =>
    prettyLine(localTime(new Date()), level, String(message), fields, paint),
  )
  const logger = winston.createLogger({
    level: options.level,
    format: options.format === 'json' ? jsonLines : pretty,
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

/** `13:25:54.000`, on this machine's clock. */
function localTime(now: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const milliseconds = String(now.getMilliseconds()).padStart(3, '0')
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${milliseconds}`
}
