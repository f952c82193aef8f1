import type { ClientAnswer } from './client.ts'

/** All values of one header, in the order of their lines. */
export function headersOf({ head }: ClientAnswer, name: string): string[] {
  const lines = head.split('\r\n').slice(1)
  const start = `${name.toLowerCase()}: `
  return lines.filter((line) => line.toLowerCase().startsWith(start)).map((line) => line.slice(start.length))
}
