import type { Contender } from './contenders/contender.ts'
import type { Figures } from './figures.ts'
import { number, table } from './table.ts'

type Contenders = readonly Pick<Contender, 'letter' | 'name'>[]

/** What a playing viewer asks nginx in a second: one playlist and one segment in six seconds. */
const REQUESTS_A_SECOND = 2 / 6
/** The share of a processor that should be used at peak time. */
const HALF = 0.5

/** The ways that an operator may choose. All other contenders are only on the bench's own page. */
const choices = ['a', 'g', 'h', 'i']

/** Requests per second, and the CPU time of nginx and gate: what an operator wants to know. */
export function summaryTable(contenders: Contenders, { works, latency }: Figures): string {
  return table(
    ['', 'hits/s', 'misses/s', 'nginx + gate CPU per 100,000 hits', 'p50 at 1,000/s'],
    contenders
      .filter(({ letter }) => choices.includes(letter) && works.hits?.[letter] !== undefined)
      .map(({ letter, name }) => {
        const cpu = works.hits?.[letter]?.cpu
        const gate = cpu === undefined || Number.isNaN(cpu.gate) ? 0 : cpu.gate
        return [
          name,
          number(works.hits?.[letter]?.perSecond, 0),
          number(works.misses?.[letter]?.perSecond, 0),
          cpu === undefined ? '–' : `${number(cpu.nginx + gate, 1)} s`,
          `${number(latency?.[letter]?.p50, 2)} ms`,
        ]
      }),
  )
}

/**
 * Which way to choose, and how many viewers a core can serve, from the figures. Empty when hits were not
 * measured.
 */
export function sizingAdvice({ works }: Figures): string {
  const [tcp, unix, cached] = [works.hits?.['g'], works.hits?.['h'], works.hits?.['i']]
  if (tcp === undefined || unix === undefined || cached === undefined) return ''
  const viewers = (secondsPer100000: number): string =>
    number(Math.floor(((100_000 / secondsPer100000 / REQUESTS_A_SECOND) * HALF) / 1_000) * 1_000, 0)
  const nginxAndGate = unix.cpu.nginx + unix.cpu.gate
  return `A viewer who plays HLS asks for a playlist and a segment every six seconds: ${number(REQUESTS_A_SECOND, 2)} requests a second. With half of the processor to spare, on the
machine of the bench:

- **One core of the gate** carries ${viewers(unix.cpu.gate)} viewers over a Unix socket, ${viewers(tcp.cpu.gate)} over TCP.
- **One core for nginx and gate together** carries ${viewers(nginxAndGate)} viewers, without counting what sending the media costs, and
  ${viewers(cached.cpu.nginx + cached.cpu.gate)} with the verdict cache.
- **TCP or Unix socket.** The socket where nginx and gate share a machine: ${number(unix.perSecond, 0)} hits a second against ${number(tcp.perSecond, 0)}.
- **The verdict cache** when nginx and gate come near the limit of the machine's cores, or when viewers must play on while the gate is down:
  it takes nearly all of the gate's work away. With fewer viewers leave it off: nobody would notice a difference.
- \`pcre_jit on;\` at the top of nginx.conf makes the snippets' regular expressions cheaper; the bench has it on for everybody.`
}

/** How much memory the gate needs. Empty when it was not measured. */
export function memoryAdvice({ sizes }: Figures): string {
  if (sizes === undefined) return ''
  const megabytes = (rss: number): string => `${number(rss, 0)} MB`
  return `The gate takes ${megabytes(sizes.idle)} when it has nothing to do, ${megabytes(sizes.hundredThousand.rss)} with 100,000 sessions and ${megabytes(sizes.million.rss)} with 1,000,000.`
}
