/** @typedef {import('./messages.js').Rates} Rates */

/**
 * @typedef {object} Series one part of the verdicts
 * @property {string} name
 * @property {'solid' | 'soft' | 'stale' | 'default' | 'gate'} fill areas also differ by their pattern
 * @property {(rates: Rates) => number} read
 */

/** From the bottom to the top of the chart. @type {readonly Series[]} */
export const allowed = [
  { name: 'backend asked', fill: 'solid', read: ({ allow }) => allow.backend },
  { name: 'known session', fill: 'soft', read: ({ allow }) => allow.session },
  { name: 'stale, backend down', fill: 'stale', read: ({ allow }) => allow.stale },
  { name: 'default action', fill: 'default', read: ({ allow }) => allow.default },
]

/** @type {readonly Series[]} */
export const denied = [
  { name: 'backend asked', fill: 'solid', read: ({ deny }) => deny.backend },
  { name: 'remembered', fill: 'soft', read: ({ deny }) => deny.session + deny.stale },
  { name: 'gate, unasked', fill: 'gate', read: ({ deny }) => deny.gate },
  { name: 'default action', fill: 'default', read: ({ deny }) => deny.default },
]

/** Seconds that the charts show. */
export const SPAN = 120

/**
 * The rates of the last two minutes, one for each second, newest last. Undefined for a second without an
 * event.
 */
export function createRates() {
  /** @type {(Rates | undefined)[]} */
  const seconds = Array.from({ length: SPAN }, () => undefined)
  let lastAt = 0
  return {
    /**
     * @param {Rates} rates
     * @param {number} at milliseconds since 1970
     */
    add(rates, at) {
      const missed = lastAt === 0 ? 0 : Math.round((at - lastAt) / 1_000) - 1
      lastAt = at
      for (let gap = 0; gap < Math.min(Math.max(missed, 0), SPAN); gap++) seconds.push(undefined)
      seconds.push(rates)
      seconds.splice(0, seconds.length - SPAN)
    },
    /** @returns {readonly (Rates | undefined)[]} */
    seconds: () => seconds,
  }
}

/**
 * The sum of all series.
 * @param {readonly Series[]} series
 * @param {Rates} rates
 */
export function sum(series, rates) {
  return series.reduce((before, { read }) => before + read(rates), 0)
}
