import { randomBytes } from 'node:crypto'

/** Text that cannot be compressed much. */
export function randomText(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length)
}
