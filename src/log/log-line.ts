import winston from 'winston'
import { prettyLine } from './pretty-line.ts'
import { printable } from './printable.ts'

/** How lines look. */
export interface LogLineOptions {
  readonly format: 'json' | 'pretty'
  /** Colours for `pretty`. */
  readonly colour: boolean
}

/**
 * Builds one line of the log, without its line break: JSON (`time`, `level`, `message` and the fields), or
 * text for people.
 */
export type LogLine = (level: string, message: string, fields: object) => string

/** Creates the function that builds the lines. */
export function createLogLine({ format, colour }: LogLineOptions): LogLine {
  if (format === 'json') return jsonLine
  const colours = winston.format.colorize()
  const paint = (level: string, text: string): string => (colour ? colours.colorize(level, text) : text)
  return (level, message, fields) => prettyLine(localTime(new Date()), level, message, fields, paint)
}

function jsonLine(level: string, message: string, fields: object): string {
  // JSON allows characters that could still move the cursor of a terminal.
  return printable(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))
}

/** `13:25:54.000`, in the time zone of this machine. */
function localTime(now: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const milliseconds = String(now.getMilliseconds()).padStart(3, '0')
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${milliseconds}`
}
