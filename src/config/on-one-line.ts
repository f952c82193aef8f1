import { printable } from '../log/printable.ts'

/** Characters that stay at both ends of a long message: the value is in front, the cure at the end. */
const HEAD = 300
const TAIL = 300

/** Makes a message one line, of at most 605 characters before escaping, whatever its values hold. */
export function onOneLine(message: string): string {
  const whole =
    message.length <= HEAD + TAIL ? message : `${message.slice(0, HEAD)} ... ${message.slice(-TAIL)}`
  return printable(whole)
}
