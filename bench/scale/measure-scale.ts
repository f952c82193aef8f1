import { loadavg } from 'node:os'
import type { Scope } from '../../test/support/scope.ts'
import { describeMachine } from '../machine.ts'
import type { Progress } from '../progress.ts'
import type { BenchOptions, ValkeyPart } from '../read-options.ts'
import type { ScaleFigures, ScalePart } from './figures.ts'
import { commandsSeconds, measureCommands } from './measure-commands.ts'
import { measureOpenings, openingsSeconds } from './measure-openings.ts'
import { measureStopped, stoppedSeconds } from './measure-stopped.ts'
import { measureStored, storedSeconds } from './measure-stored.ts'

type Options = Pick<BenchOptions, 'parts' | 'rounds' | 'seconds' | 'sessions'>

/** Measures what was asked for of gates with a Valkey. */
export async function measureScale(
  scope: Scope,
  options: Options & { readonly folder: string; readonly progress: Progress },
): Promise<ScaleFigures> {
  const figures: { -readonly [Part in keyof ScaleFigures]: ScaleFigures[Part] } = { measured: {} }
  const measure = async <Part extends ScalePart>(
    name: ValkeyPart,
    part: Part,
    act: () => Promise<NonNullable<ScaleFigures[Part]>>,
  ): Promise<void> => {
    if (!options.parts.includes(name)) return
    figures[part] = (await act()) as (typeof figures)[Part]
    const { CPU: cpu = '', Date: date = '' } = describeMachine()
    figures.measured = { ...figures.measured, [part]: { date, cpu, load: loadavg()[0] ?? 0 } }
  }
  await measure('valkey-commands', 'commands', () => measureCommands(scope, options))
  await measure('valkey-openings', 'openings', () => measureOpenings(scope, options))
  await measure('valkey-stopped', 'stopped', () => measureStopped(scope, options))
  await measure('valkey-memory', 'stored', () =>
    measureStored(scope, { ...options, sizes: options.sessions }),
  )
  return figures
}

/** Seconds that a part takes, for the plan. */
export function scaleSeconds(
  part: ValkeyPart,
  { rounds, seconds, sessions }: Omit<Options, 'parts'>,
): number {
  const planned: Readonly<Record<ValkeyPart, number>> = {
    'valkey-commands': commandsSeconds(rounds),
    'valkey-openings': openingsSeconds(rounds, seconds),
    'valkey-stopped': stoppedSeconds(rounds, seconds),
    'valkey-memory': storedSeconds(sessions),
  }
  return planned[part]
}
