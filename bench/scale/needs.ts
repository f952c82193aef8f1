import { BEAT } from '../../src/state/store-engine.ts'
import type { Audience, Load } from './audience.ts'
import type { Costs } from './costs.ts'
import { loadOf } from './load-of.ts'

/** What an audience needs. Cores are CPU seconds in a second, on the machine of the bench. */
export interface Needs {
  readonly load: Load
  /** Primaries of Valkey that are half busy while people watch: one, or a cluster. */
  readonly nodes: number
  /** While people watch, and in addition while all come. */
  readonly gateCores: number
  readonly rushGateCores: number
  readonly nginxCores: number
  /** Of all Valkeys together. */
  readonly valkeyCores: number
  readonly rushValkeyCores: number
  /** Bytes of all Valkeys together, without replicas. */
  readonly valkeyBytes: number
  /** Gates that are half busy, while people watch or while all come. */
  readonly gates: number
  /** Of all gates in a second. */
  readonly heartbeats: number
  /** Events in a second with EVENTS_INTERIM=10m. */
  readonly interims: number
  /** nginx machines, by what they have to send. */
  readonly edges: number
  /** Bits a second. */
  readonly media: number
}

/** Bits a second: of a viewer, and what one machine with nginx sends at peak time. */
export const BITRATE = 5_000_000
export const EDGE = 20_000_000_000
/** The share of a core that is used at peak time. */
const HALF = 0.5
const MILLION = 1_000_000
/** Seconds: EVENTS_INTERIM=10m. */
const INTERIM = 600

/** The second half of the formulas of docs/scale.md: from what happens to what it takes. */
export function needsOf(audience: Audience, costs: Costs): Needs {
  const { viewers, isLimited, idle, visit } = audience
  const load = loadOf(audience)
  const { commands, openings, stopped } = costs
  const opening = openings[isLimited ? 'sharedLimited' : 'shared']
  const questions = load.openings + load.rechecks
  // What an opening or a re-check costs holds its own commands.
  const others = {
    writes: load.writes - questions,
    replaces: isLimited ? load.replaces - questions : 0,
  }
  const gateCores =
    (load.requests * stopped.running.gate +
      questions * opening.gate +
      others.writes * commands.write.gate +
      others.replaces * commands.replace.gate) /
    MILLION
  const valkeyOpening =
    commands.recall.valkey + commands.write.valkey + (isLimited ? commands.replace.valkey : 0)
  const rushGateCores = (load.rush * opening.gate) / MILLION
  const gates = Math.ceil(Math.max(gateCores, rushGateCores) / HALF)
  const heartbeats = (gates * 1_000) / BEAT
  const valkeyCores =
    (heartbeats * commands.beat.valkey +
      load.recalls * commands.recall.valkey +
      load.writes * commands.write.valkey +
      load.replaces * commands.replace.valkey) /
    MILLION
  const size = costs.stored.at(-1) as Costs['stored'][number]
  // The text of a user stays for SESSION_IDLE after the last session.
  const users = isLimited ? viewers * (1 + idle / visit) : 0
  return {
    load,
    ...{ gateCores, rushGateCores, valkeyCores },
    nginxCores: (load.requests * stopped.running.nginx) / MILLION,
    rushValkeyCores: (load.rush * valkeyOpening) / MILLION,
    valkeyBytes: load.records * size.record + users * size.user,
    ...{ gates, heartbeats, interims: viewers / INTERIM },
    nodes: Math.ceil(valkeyCores / HALF),
    edges: Math.ceil((viewers * BITRATE) / EDGE),
    media: viewers * BITRATE,
  }
}
