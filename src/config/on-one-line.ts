import { printable } from '../log/printable.ts'

/** A value in front and the cure at the end are kept, however long the value is. */
const HEAD = 300
const TAIL = 300

/** A message as one line of bearable length, whatever the values in it hold. */
export function onOneLine(message: string): string {
  const whole =
    message.length <= HEAD + TAIL ? message : `${message.slice(0, HEAD)} ... ${message.slice(-TAIL)}`
  return printable(whole)
}
