/**
 * The one reader of what Valkey answers. A reply of another shape is an `UnexpectedReply`, which the client
 * makes an unusable store; it never leaves the engine.
 */
export class UnexpectedReply extends Error {
  override readonly name = 'UnexpectedReply'
}

/** @param length how many there must be; any number unless given */
export function listOf(reply: unknown, length?: number): readonly unknown[] {
  if (Array.isArray(reply) && (length === undefined || reply.length === length)) return reply
  throw new UnexpectedReply()
}

export function bytesOf(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply
  throw new UnexpectedReply()
}

/** ASCII. */
export function textOf(reply: unknown): string {
  return bytesOf(reply).toString('latin1')
}

/** A whole number, 0 or more. */
export function numberOf(reply: unknown): number {
  if (typeof reply === 'number' && Number.isSafeInteger(reply) && reply >= 0) return reply
  throw new UnexpectedReply()
}

/** What `read` makes of it; undefined where there is nothing. */
export function maybe<Result>(reply: unknown, read: (reply: unknown) => Result): Result | undefined {
  return reply === null ? undefined : read(reply)
}

/** The elements of an array, so many at a time. */
export function groupsOf(reply: unknown, size: number): readonly (readonly unknown[])[] {
  const all = listOf(reply)
  if (all.length % size !== 0) throw new UnexpectedReply()
  return Array.from({ length: all.length / size }, (_, n) => all.slice(n * size, (n + 1) * size))
}

/** Not what is read but what is sent: milliseconds as Valkey takes them, whole, and 1 or more. */
export function millisecondsOf(keepFor: number): number {
  return Math.min(Math.max(1, Math.ceil(keepFor)), 2 ** 40)
}
