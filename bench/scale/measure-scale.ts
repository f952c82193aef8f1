import type { Scope } from '../../test/support/scope.ts'
import type { Progress } from '../progress.ts'
import type { BenchOptions, ValkeyPart } from '../read-options.ts'
import type { ScaleFigures } from './figures.ts'
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
  const isWanted = (part: ValkeyPart): boolean => options.parts.includes(part)
  return {
    ...(isWanted('valkey-commands') && { commands: await measureCommands(scope, options) }),
    ...(isWanted('valkey-openings') && { openings: await measureOpenings(scope, options) }),
    ...(isWanted('valkey-stopped') && { stopped: await measureStopped(scope, options) }),
    ...(isWanted('valkey-memory') && {
      stored: await measureStored(scope, { ...options, sizes: options.sessions }),
    }),
  }
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
