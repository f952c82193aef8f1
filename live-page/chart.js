import { drawn, element, setText } from './elements.js'
import { rate } from './format.js'
import { SPAN, sum } from './rates.js'

/** @typedef {import('./messages.js').Rates} Rates */
/** @typedef {import('./rates.js').Series} Series */

const HEIGHT = 120
const TOP = 14
/** Fills with a pattern. The other areas have a colour. @type {Readonly<Record<string, string>>} */
const patterns = { stale: 'url(#fill-stale)', default: 'url(#fill-default)', gate: 'url(#fill-gate)' }
/** Seconds between two descriptions of the chart for screen readers. */
const DESCRIBE_EVERY = 10

/**
 * Areas on top of each other, which move one step to the left each second. The legend shows their present
 * values.
 * @param {HTMLElement} figure with a caption and a list for the legend
 * @param {readonly Series[]} series
 */
export function createChart(figure, series) {
  const [caption, legend] = figure.children
  const title = caption?.textContent ?? ''
  const svg = drawn('svg', { role: 'img' })
  caption?.after(svg)
  const lines = drawn('g', { class: 'axis' })
  const areas = series.map(({ fill }) => createArea(fill))
  const most = drawn('text', { class: 'label', x: '0', y: '10' })
  svg.append(lines, ...areas, most)
  const values = series.map(({ name, fill }) => {
    const swatch = drawn('svg', { class: 'swatch', viewBox: '0 0 14 14', 'aria-hidden': 'true' })
    swatch.append(createArea(fill, 'M0 0H14V14H0Z'))
    const value = element('b', '')
    const entry = element('li', '', swatch, element('span', '', name), value)
    legend?.append(entry)
    return value
  })
  let described = 0

  /** @param {readonly (Rates | undefined)[]} seconds */
  const draw = (seconds) => {
    const width = svg.clientWidth || 300
    svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`)
    const totals = seconds.map((rates) => (rates === undefined ? 0 : sum(series, rates)))
    const top = roundUp(Math.max(...totals))
    setText(most, `${rate(top)}/s`)
    const y = (/** @type {number} */ value) => HEIGHT - 1 - (value / top) * (HEIGHT - TOP - 1)
    const x = (/** @type {number} */ at) => (at / (SPAN - 1)) * width
    lines.replaceChildren(
      ...[0, top / 2, top].map((value) =>
        drawn('line', { x1: '0', x2: String(width), y1: `${y(value)}`, y2: `${y(value)}` }),
      ),
    )
    series.forEach((_, index) => {
      const shape = spans(seconds).map(([from, to]) => {
        const edge = (/** @type {number} */ upTo) =>
          seconds
            .slice(from, to)
            .map(
              (rates, at) =>
                `${x(from + at).toFixed(1)},${y(rates === undefined ? 0 : sum(series.slice(0, upTo), rates)).toFixed(1)}`,
            )
        return `M${[...edge(index + 1), ...edge(index).reverse()].join('L')}Z`
      })
      areas[index]?.setAttribute('d', shape.join(''))
    })
    const now = seconds.at(-1)
    series.forEach(({ read }, index) => {
      const value = values[index]
      if (value !== undefined) setText(value, now === undefined ? '–' : rate(read(now)))
    })
    if (described++ % DESCRIBE_EVERY === 0) svg.ariaLabel = describe(title, series, seconds, totals)
  }
  return { draw }
}

/**
 * @param {Series['fill']} fill
 * @param {string} shape
 */
function createArea(fill, shape = '') {
  const pattern = patterns[fill]
  return drawn('path', {
    class: `area of-${fill}`,
    d: shape,
    ...(pattern === undefined ? {} : { fill: pattern }),
  })
}

/**
 * The periods with rates, each as its first second and the second after its last.
 * @param {readonly (Rates | undefined)[]} seconds
 */
function spans(seconds) {
  /** @type {[number, number][]} */
  const found = []
  seconds.forEach((rates, at) => {
    if (rates === undefined) return
    const last = found.at(-1)
    if (last !== undefined && last[1] === at) last[1] = at + 1
    else found.push([at, at + 1])
  })
  return found
}

/** The next higher of 1, 2, 5, 10 … @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power
}

/**
 * @param {string} title
 * @param {readonly Series[]} series
 * @param {readonly (Rates | undefined)[]} seconds
 * @param {readonly number[]} totals
 */
function describe(title, series, seconds, totals) {
  const now = seconds.at(-1)
  if (now === undefined) return `${title}: nothing heard yet`
  const parts = series.map(({ name, read }) => `${rate(read(now))} ${name}`)
  return `${title} per second: ${rate(sum(series, now))} now, at most ${rate(Math.max(...totals))} in the last 2 minutes. Now ${parts.join('; ')}.`
}
