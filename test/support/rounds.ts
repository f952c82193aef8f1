/**
 * How often a test repeats its work: `usual` times in `npm test`, `many` times in `npm run test:long`, which
 * runs every file that imports this one.
 */
export function rounds(usual: number, many: number): number {
  return process.env['TEST_LONG'] === undefined ? usual : many
}
