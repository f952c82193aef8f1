/** Whether this is `npm run test:long`, which runs every file that imports this one. */
export const isLong = process.env['TEST_LONG'] !== undefined

/**
 * How often a test repeats its work: `usual` times in `npm test`, `many` times in `npm run test:long`.
 */
export function rounds(usual: number, many: number): number {
  return isLong ? many : usual
}
