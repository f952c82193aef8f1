import winston from 'winston'
import { prettyLine } from './pretty-line.ts'
import { printable } from './printable.ts'

export interface LogLineOptions {
  readonly format: 'json' | 'pretty'
  /** Colours for `pretty`. */
  readonly colour: boolean
}

/** One line of the log, without its line break: JSON (`time`, `level`, `message` and the fields), or for people. */
export type LogLine = (level: string, message: string, fields: Readonly<Record<string, unknown>>) => string

export function createLogLine({ format, colour }: LogLineOptions): LogLine {
  if (format === 'json') return jsonLine
  const colours = winston.format.colorize()
  const paint = (level: string, text: string): string => (colour ? colours.colorize(level, text) : text)
  return (level, message, fields) => prettyLine(localTime(new Date()), level, message, fields, paint)
}

function jsonLine(level: string, message: string, fields: object): string {
  // What JSON may hold as it is could still turn a terminal upside down.
  return printable(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))
}

/** `13:25:54.000`, on this machine's clock. */
function localTime(now: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const milliseconds = String(now.getMilliseconds()).padStart(3, '0')
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${milliseconds}`
}
