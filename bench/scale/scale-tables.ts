import { number, table } from '../table.ts'
import type { Costs } from './costs.ts'
import {
  type Command,
  commands,
  type Measured,
  type OpeningKind,
  openingKinds,
  type ScaleFigures,
  type ScalePart,
} from './figures.ts'

const commandWords: Readonly<Record<Command, string>> = {
  recallNothing: 'look for an unknown viewer (its list, which is empty)',
  recall: 'look for a viewer who has a session (its list, then the record)',
  write: 'write a session: it was opened, reported, re-checked or went silent (script)',
  replace: 'change what is shared of a user: opening, report, end (script)',
  beat: 'a heartbeat (script)',
}

const openingWords: Readonly<Record<OpeningKind, string>> = {
  alone: 'without Valkey',
  aloneLimited: 'without Valkey, with a limit',
  shared: 'with Valkey',
  sharedLimited: 'with Valkey and a limit',
}

/** CPU time of each command. */
export function commandTable({ commands: costs }: ScaleFigures): string {
  if (costs === undefined) return ''
  return table(
    ['a command of a gate', 'Valkey', 'gate'],
    commands.map((command) => [
      commandWords[command],
      `${number(costs[command].valkey, 1)} µs`,
      `${number(costs[command].gate, 1)} µs`,
    ]),
  )
}

/** What Valkey takes for sessions. */
export function storedTable({ stored = [] }: ScaleFigures): string {
  if (stored.length === 0) return ''
  return table(
    ['sessions in Valkey', 'without a limit', 'with a limit', 'all with a limit', 'resident'],
    stored.map(({ sessions, record, user, used, rss }) => [
      number(sessions, 0),
      `${number(record, 0)} bytes each`,
      `${number(record + user, 0)} bytes each`,
      `${number(used / 1_000_000, 0)} MB`,
      `${number(rss / 1_000_000, 0)} MB`,
    ]),
  )
}

/** What a gate spends on a new viewer. */
export function openingTable({ openings }: ScaleFigures): string {
  if (openings === undefined) return ''
  return table(
    ['a new viewer', 'gate', 'Valkey', 'openings a second'],
    openingKinds.map((kind) => [
      openingWords[kind],
      `${number(openings[kind].gate, 0)} µs`,
      openings[kind].valkey === 0 ? '–' : `${number(openings[kind].valkey, 0)} µs`,
      number(openings[kind].perSecond, 0),
    ]),
  )
}

/** Hits with a Valkey that was stopped. */
export function stoppedTable({ stopped }: ScaleFigures): string {
  if (stopped === undefined) return ''
  return table(
    ['hits while Valkey', 'a second', 'gate', 'nginx'],
    (['running', 'stopped'] as const).map((state) => [
      state === 'running' ? 'runs' : 'is stopped (SIGSTOP)',
      number(stopped[state].perSecond, 0),
      `${number(stopped[state].gate, 1)} µs`,
      `${number(stopped[state].nginx, 1)} µs`,
    ]),
  )
}

/** All tables of what was measured. */
export function scaleTables(figures: ScaleFigures): readonly string[] {
  return [commandTable(figures), openingTable(figures), stoppedTable(figures), storedTable(figures)].filter(
    (text) => text !== '',
  )
}

/** The tables for docs/scale.md, each with the machine and its load. */
export function costParts(costs: Costs): readonly string[] {
  const said = (part: ScalePart): string => {
    const { cpu, date, load } = costs.measured[part] as Measured
    return `Measured on ${date} on ${cpu}, at a load of ${number(load, 1)}.`
  }
  return [
    ...[storedTable(costs), said('stored')],
    ...[commandTable(costs), said('commands')],
    ...[openingTable(costs), said('openings')],
    ...[stoppedTable(costs), said('stopped')],
  ]
}
