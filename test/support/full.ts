/**
 * Whether tests below test/long/ take their full length: `FULL=1 npm run test:long`. Otherwise they do as
 * much as shows what they are about.
 */
export const isFull = process.env['FULL'] !== undefined
