import { printable } from './printable.ts'

/** The width of the longest level, and of the longest verdict. */
const LEVEL_WIDTH = 5
const VERDICT_WIDTH = 5
/** The width of the longest message about a decision. Most lines are about decisions. */
const SENTENCE_WIDTH = 10
/** Values that need no quotes. */
const plain = /^[^\s"'=]+$/

/**
 * A line for people, such as
 * `13:25:54.000 info  decided    allow backend-200 (backend) session=… path=…`.
 * The decision comes first, in words. The other fields follow with their names; a value of more than one word
 * is quoted. A text of several lines follows below, indented.
 * @param paint colours the level
 */
export function prettyLine(
  time: string,
  level: string,
  message: string,
  fields: object,
  paint: (level: string, text: string) => string,
): string {
  const { verdict, reason, source, ...others }: Readonly<Record<string, unknown>> = { ...fields }
  const isDecision = verdict !== undefined && reason !== undefined && source !== undefined
  const decision = isDecision ? [`${String(verdict).padEnd(VERDICT_WIDTH)} ${reason} (${source})`] : []
  const rest = Object.entries(isDecision ? others : fields).filter(([, value]) => value !== undefined)
  const isText = ([, value]: [string, unknown]): boolean => typeof value === 'string' && value.includes('\n')
  return [
    [
      time,
      paint(level, level.padEnd(LEVEL_WIDTH)),
      isDecision ? message.padEnd(SENTENCE_WIDTH) : message,
      ...decision,
      ...rest.filter((field) => !isText(field)).map(([name, value]) => `${name}=${inQuotes(value)}`),
    ].join(' '),
    ...rest
      .filter(isText)
      .map(([name, value]) => `${name}:\n${value}`.split('\n').map(printable).join('\n    ')),
  ].join('\n    ')
}

function inQuotes(value: unknown): string {
  const text = String(value)
  return printable(plain.test(text) ? text : JSON.stringify(text))
}
