import { cpus } from 'node:os'
import { contenders } from './contenders/contenders.ts'
import type { Figures } from './figures.ts'
import { CONNECTIONS } from './generator.ts'
import { describeMachine } from './machine.ts'
import type { BenchOptions } from './read-options.ts'
import { comparison, cpuTable, targetTable } from './result-tables.ts'
import { scaleTables } from './scale/scale-tables.ts'
import { scalingText } from './scaling.ts'
import { number } from './table.ts'
import { createWorks } from './works.ts'

/** The Markdown of RESULTS.md. */
export function resultsPage(figures: Figures, options: BenchOptions): string {
  const { sizes } = figures
  const machine = Object.entries(describeMachine())
  return `# Results of \`npm run bench\`

Written by the bench itself: figures change with the machine, ratios much less. The generator runs on the same cores.

${machine.map(([name, value]) => `- ${name}: ${value}`).join('\n')}

To repeat: \`npm run bench\` in a clone of this repository, on a machine that has nothing else to do. As root on Debian it installs what is
missing. \`npm run bench -- --help\` shows how to run a part of it.

## Targets

${targetTable(figures)}

Without a target: h ÷ b${measured(figures, 'h', 'b')}. b is another nginx, in C: no bound that a program in Node can be held to.

## All contenders

${comparison(contenders, figures)}

![Requests per second of all contenders](results.svg)

Latency is that of hits at 1,000 requests a second, from 50 connections that wait 0 to 98 ms at random. Memory is after the hits:
of nginx with shared pages divided among those who share them (Pss), of the gate as a whole (VmRSS), so that Node itself counts.

CPU seconds per 100,000 requests; "gate" is the process that nginx asks, with b and t the second nginx:

${cpuTable(contenders, figures)}

## The gate itself

${sizes === undefined ? 'Not measured.' : sizesText(sizes)}

## From one gate to two

${scalingText(figures, cpus().length) || 'Not measured.'}

## Gates that share a Valkey

${figures.scale === undefined ? 'Not measured.' : scaleTables(figures.scale).join('\n\n')}

What that means for many viewers: [docs/scale.md](../docs/scale.md).

## What is compared

${contenders.map(({ letter, name, what }) => `- **${letter}. ${name}**: ${what}`).join('\n')}

Work:

${Object.entries(createWorks())
  .map(([name, { what }]) => `- **${name}**: ${what}.`)
  .join('\n')}

## How it is measured

- One nginx for each contender, with the same base configuration (\`worker_processes auto\`, as packaged, and \`pcre_jit on\`), in front of the same files of 1 KB, all up at
  the same time. Workers, gate and generator share the cores. Before each run the contender is asked once about all that is known, uncounted.
- wrk with one thread and ${CONNECTIONS} connections. Viewers are told apart by address (realip) and User-Agent; requests are made before the run.
- ${options.rounds} rounds of hits, ${options.otherRounds} of everything else, ${options.seconds} s a run. In a round one contender runs after the other, in an order that changes. Before them, one run of each that
  does not count. Figures are medians of rounds, ratios are of medians.
- Before anything is measured, each contender that judges must show that it asks the backend, remembers the answer (all but m), denies a bad token, and
  gives one viewer's verdict to no other address, User-Agent, host or channel. In each run every status must be as expected.
- All but m remember an allow for an hour and a deny for five minutes: longer than the time between two runs. The backend is a small \`node:http\` server in a process of its own.
- b is over a Unix socket because h is, so that h ÷ b shows the gate and not the transport; t is the same over TCP (t ÷ b${measured(figures, 't', 'b')}).
- The memory of the gate is that of \`node dist/main.js\` (VmRSS, in MB of 1,000,000 bytes), filled straight by the generator with URLs of 200
  bytes at \`LOG_LEVEL=warn\`, forty seconds after the last session was opened (idle: fifteen after the first answers). The cost of a hit is its CPU time, with viewers picked at random from all sessions.

## What to keep in mind

- c to f know no sessions: a segment without a token is asked about like everything else, and this bench's backend says yes to it. With a real backend
  that is a hole or a denied viewer. alta-auth lets segments ride on the session and never asks about them.
- c to f share one question for two requests at the same time only in c (\`proxy_cache_lock\`); none of them re-checks, counts, logs
  decisions, or survives an outage of the backend as alta-auth does. alta-auth logs each decision that it makes to a file here.
- f answers with \`sendStatus\`, whose body makes nginx close the connection each time: that is what the plain way costs.
`
}

/** The ratio of two rates of hits, as the rest of a clause; empty when one was not measured. */
function measured({ works }: Figures, one: string, other: string): string {
  const [above, below] = [works.hits?.[one], works.hits?.[other]]
  return above && below ? ` is ${number(above.perSecond / below.perSecond, 2)} here` : ''
}

function sizesText(sizes: NonNullable<Figures['sizes']>): string {
  const { hundredThousand, million } = sizes
  return `With 100,000 sessions it was at most ${number(hundredThousand.peak, 0)} MB while it filled, with 1,000,000 at most ${number(million.peak, 0)} MB. A hit costs ${number(
    sizes.hitAtThousand * 10,
    1,
  )} µs of its CPU with 1,000 sessions and ${number(sizes.hitAtMillion * 10, 1)} µs with 1,000,000, asked straight over TCP.`
}
