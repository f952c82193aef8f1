import { parseArgs } from 'node:util'
import type { Contender } from './contenders/contender.ts'
import { contenders } from './contenders/contenders.ts'
import { workNames } from './works.ts'

/** What gates with a Valkey cost. Each measures by itself, beside no contender. */
export const valkeyParts = ['valkey-commands', 'valkey-openings', 'valkey-stopped', 'valkey-memory'] as const
export type ValkeyPart = (typeof valkeyParts)[number]

/** The parts of the bench. */
export const parts = [...workNames, 'latency', 'sizes', 'start', ...valkeyParts] as const
/** Those in which two checkouts can be compared. */
const pairedParts: readonly Part[] = [...workNames, 'latency']
export type Part = (typeof parts)[number]

/** What the command line asks for. */
export interface BenchOptions {
  readonly parts: readonly Part[]
  readonly contenders: readonly Contender[]
  /** The folder of another checkout, whose h is compared with this one's. */
  readonly old?: string
  /** Rounds of the hits. */
  readonly rounds: number
  /** Rounds of the other parts: three fifths of those of the hits; as many where checkouts are compared. */
  readonly otherRounds: number
  /** Seconds of one run. */
  readonly seconds: number
  /** With how many sessions the memory of Valkey is measured, in rising order. */
  readonly sessions: readonly number[]
  /** Whether RESULTS.md and results.svg are written. */
  readonly write: boolean
}

const usage = `npm run bench -- [options]

  --only hits,latency     of ${parts.join(', ')}; all unless
                          given. Those of valkey- each take about a minute with --rounds 1
  --contenders a,b,h      of ${contenders.map(({ letter }) => letter).join(', ')}; all unless given
  --rounds 5              of the hits; the other parts have three fifths of them
  --seconds 2             of one run
  --sessions 100000       with how many the memory of Valkey is measured (valkey-memory); 100000,1000000 unless
                          given, which takes some minutes
  --old FOLDER            h of another checkout runs beside h of this one: both, and their ratio in each round.
                          Without --contenders only these two; without --only hits to latency;
                          10 rounds of each part unless --rounds says otherwise
  --write                 write bench/RESULTS.md and bench/results.svg, with all parts of valkey- also
                          bench/scale/costs.json and docs/scale.md; a run without options does

Contenders:
${contenders.map(({ letter, name, what }) => `  ${letter}  ${name}: ${what}`).join('\n')}
`

/** Reads the command line. @returns a text to print in place of a run: the help, or what is wrong */
export function readOptions(
  given: readonly string[],
): BenchOptions | { readonly help: string; readonly code: number } {
  try {
    const { values } = parseArgs({
      args: [...given],
      options: {
        only: { type: 'string' },
        contenders: { type: 'string' },
        old: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string', default: '2' },
        sessions: { type: 'string', default: '100000,1000000' },
        write: { type: 'boolean', default: given.length === 0 },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { help: usage, code: 0 }
    const { old } = values
    const all = contenders.map(({ letter }) => letter)
    const letters = split(values.contenders ?? (old === undefined ? all : ['h']).join(), all)
    if (old !== undefined && !letters.includes('h')) throw new Error('--old is compared with h')
    const rounds = wholeNumber('rounds', values.rounds ?? (old === undefined ? '5' : '10'))
    return {
      parts: split(values.only ?? (old === undefined ? parts : pairedParts).join(), parts),
      contenders: contenders.filter(({ letter }) => letters.includes(letter)),
      ...(old === undefined ? {} : { old }),
      rounds,
      otherRounds: old === undefined ? Math.ceil(rounds * 0.6) : rounds,
      seconds: wholeNumber('seconds', values.seconds),
      sessions: values.sessions
        .split(',')
        .map((text) => wholeNumber('sessions', text))
        .sort((one, other) => one - other),
      write: values.write,
    }
  } catch (error) {
    return { help: `${error instanceof Error ? error.message : String(error)}\n\n${usage}`, code: 2 }
  }
}

function split<T extends string>(text: string, known: readonly T[]): T[] {
  const words = text.split(',')
  const unknown = words.find((word) => !known.some((one) => one === word))
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of ${known.join(', ')}`)
  return known.filter((one) => words.includes(one))
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} ${text}: not a whole number above 0`)
  return number
}
