/**
 * How often a test repeats what it does: `usual` in `npm test`, `many` in `npm run test:long`, which runs every file that imports this
 * one.
 */
export function rounds(usual: number, many: number): number {
  return process.env['TEST_LONG'] === undefined ? usual : many
}
