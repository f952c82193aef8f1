/** Characters that would break the line, move the cursor, or turn the direction of what is written. */
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]/g
/** A value in front and the cure at the end are kept, however long the value is. */
const HEAD = 300
const TAIL = 300

/** A message as one line of bearable length, whatever the values in it hold. */
export function onOneLine(message: string): string {
  const whole =
    message.length <= HEAD + TAIL ? message : `${message.slice(0, HEAD)} ... ${message.slice(-TAIL)}`
  return printable(whole)
}

/** A text with what would move the cursor, or turn the direction of writing, made visible. */
export function printable(text: string): string {
  return text.replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
