import { contenders } from './contenders/contenders.ts'
import type { Figures } from './figures.ts'
import { number } from './table.ts'
import type { WorkName } from './works.ts'

const WIDTH = 760
const LABELS = 190
/** Room for the number behind the longest bar. */
const NUMBERS = 70
const BAR = 18
const STEP = 26
const TITLE = 34
const GAP = 18

/** Requests per second as bars: an SVG that can be read on a light and on a dark page. */
export function resultsChart({ works }: Figures): string {
  const panels: string[] = []
  let top = 8
  const add = (work: WorkName, title: string): void => {
    const bars = contenders.flatMap(({ letter, name }) => {
      const value = works[work]?.[letter]?.perSecond
      return value === undefined ? [] : [{ label: `${letter}. ${name}`, value, ours: 'ghi'.includes(letter) }]
    })
    if (bars.length === 0) return
    const longest = Math.max(...bars.map(({ value }) => value))
    panels.push(`<text class="title" x="0" y="${top + 16}">${inXml(title)}</text>`)
    bars.forEach(({ label, value, ours }, at) => {
      const y = top + TITLE + at * STEP
      const length = Math.max(1, Math.round((value / longest) * (WIDTH - LABELS - NUMBERS)))
      panels.push(
        `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end">${inXml(label)}</text>`,
        `<rect class="${ours ? 'ours' : 'other'}" x="${LABELS}" y="${y}" width="${length}" height="${BAR}" rx="2"/>`,
        `<text x="${LABELS + length + 6}" y="${y + 13}">${number(value, 0)}</text>`,
      )
    })
    top += TITLE + bars.length * STEP + GAP
  }
  add('hits', 'Hits: requests per second, all viewers known')
  add('misses', 'Misses: requests per second, every viewer new')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="Requests per second of all contenders">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .ours { fill: #0969da; }
  .other { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .ours { fill: #4493f8; }
    .other { fill: #6e7681; }
  }
</style>
${panels.join('\n')}
</svg>
`
}

function inXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
