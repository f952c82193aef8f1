/** What sessions take in Valkey, with so many of them. Bytes. */
export interface StoredSize {
  readonly sessions: number
  /** Of the record of a session, and of what is shared of its user, key and index included. */
  readonly record: number
  readonly user: number
  /** With records and users. */
  readonly used: number
  readonly rss: number
}

/** Microseconds of CPU time of one command: of Valkey, and of the gate that sends it. */
export interface CommandCost {
  readonly valkey: number
  readonly gate: number
}

/** The commands of a gate to Valkey. */
export const commands = ['recallNothing', 'recall', 'write', 'replace', 'beat'] as const
export type Command = (typeof commands)[number]

/** What a gate spends on a new viewer, in microseconds of CPU time, without nginx. */
export interface OpeningCost {
  readonly gate: number
  /** 0 without one. */
  readonly valkey: number
  /** Openings a second with all that this machine has left for the gate. */
  readonly perSecond: number
}

export const openingKinds = ['alone', 'aloneLimited', 'shared', 'sharedLimited'] as const
export type OpeningKind = (typeof openingKinds)[number]

/** Hits with Valkey as usual, and with one that was stopped (SIGSTOP), in alternating rounds. */
export interface StoppedHits {
  readonly running: HitFigures
  readonly stopped: HitFigures
}

export interface HitFigures {
  readonly perSecond: number
  /** Microseconds of CPU time of one hit. */
  readonly gate: number
  readonly nginx: number
}

/** What was measured of gates with a Valkey. What was not asked for is missing. */
export interface ScaleFigures {
  readonly commands?: Readonly<Record<Command, CommandCost>>
  readonly stored?: readonly StoredSize[]
  readonly openings?: Readonly<Record<OpeningKind, OpeningCost>>
  readonly stopped?: StoppedHits
  /** Where and when each was measured. */
  readonly measured: Readonly<Partial<Record<ScalePart, Measured>>>
}

export const scaleParts = ['commands', 'openings', 'stopped', 'stored'] as const
export type ScalePart = (typeof scaleParts)[number]

export interface Measured {
  readonly date: string
  readonly cpu: string
  /** The load average of the machine when it ended. Above its cores, all costs are too high. */
  readonly load: number
}
