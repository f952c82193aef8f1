import winston from 'winston'

/** What the rooms may do with a log: a sentence, and fields for machines. Never a token, never a query string. */
export interface Log {
  error(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  info(message: string, fields?: object): void
  debug(message: string, fields?: object): void
  /** Whether debug lines are written, asked before they are built. */
  readonly debugs: boolean
}

export interface LogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly format: 'json' | 'pretty'
  /** Colours for `pretty`. */
  readonly colour: boolean
  readonly stream: NodeJS.WritableStream
}

/** JSON lines (`time`, `level`, `message` and the fields) or lines for people. */
export function createLog(options: LogOptions): Log {
  const { combine, timestamp, colorize, printf } = winston.format
  // One step instead of winston's three: each question has a line.
  const jsonLines = printf(({ level, message, ...fields }) =>
    JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }),
  )
  const pretty = printf(({ timestamp: time, level, message, ...fields }) => {
    const rest = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)
    return [String(time), level, message, ...rest].join(' ')
  })
  const logger = winston.createLogger({
    level: options.level,
    format:
      options.format === 'json'
        ? jsonLines
        : combine(...(options.colour ? [colorize()] : []), timestamp({ format: 'HH:mm:ss.SSS' }), pretty),
    transports: [new winston.transports.Stream({ stream: options.stream })],
  })
  return {
    error: (message, fields) => void logger.error(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    debug: (message, fields) => void logger.debug(message, fields),
    debugs: options.level === 'debug',
  }
}
