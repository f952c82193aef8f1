/** The words of a table that is written as lines of text. */
export function wordsOf(table: string): string[] {
  return table.trim().split(/\s+/)
}
