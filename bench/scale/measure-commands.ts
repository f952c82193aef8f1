import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { UserText } from '../../src/state/user-texts.ts'
import type { Scope } from '../../test/support/scope.ts'
import { median } from '../median.ts'
import type { Progress } from '../progress.ts'
import { startValkey } from '../start-valkey.ts'
import { type Command, type CommandCost, commands } from './figures.ts'
import { openStore } from './open-store.ts'
import { type StoredViewer, storedViewer } from './stored-viewers.ts'

export interface CommandsOptions {
  readonly folder: string
  readonly rounds: number
  readonly progress: Progress
}

const VIEWERS = 100_000
/** Commands of one kind in one round. */
const EACH = 20_000
/** Misses that a busy gate has under way, and records that it writes at once. */
const AT_ONCE = 64
const BATCH = 500
const MILLION = 1_000_000

export function commandsSeconds(rounds: number): number {
  return 20 + rounds * 10
}

/**
 * CPU time of each command, of Valkey and of the process that sends it by the code of the gate, with 100,000
 * sessions stored. Medians of rounds.
 */
export async function measureCommands(
  scope: Scope,
  { folder, rounds, progress }: CommandsOptions,
): Promise<Readonly<Record<Command, CommandCost>>> {
  progress.begin('cost of commands to Valkey')
  const valkey = await startValkey(scope, mkdtempSync(join(folder, 'commands-')))
  // Before the store is opened: it would take so long a turn for a dead connection.
  const all = Array.from({ length: VIEWERS }, (_, number) => storedViewer(number, Date.now(), true))
  const store = await openStore(scope, valkey)
  const write = async (some: readonly StoredViewer[]): Promise<void> => {
    for (let at = 0; at < some.length; at += BATCH)
      await store.write(some.slice(at, at + BATCH).map((one) => one.write))
  }
  const values = new Map<string, UserText>()
  const replace = async ({ user, text }: StoredViewer): Promise<void> => {
    const written = await store.users.write(user, text, values.get(user), 3_600_000)
    if (written === undefined) throw new Error('a user was changed by somebody else')
    values.set(user, written)
  }
  await write(all)
  await inTurn(all, replace)

  const runs: Record<Command, (some: readonly StoredViewer[]) => Promise<number>> = {
    async recallNothing(some) {
      await inTurn(some, ({ viewer }) => store.recall(`${viewer} stranger`))
      return some.length
    },
    async recall(some) {
      await inTurn(some, ({ viewer }) => store.recall(viewer))
      return some.length
    },
    async write(some) {
      await write(some)
      return some.length
    },
    async beat(some) {
      await inTurn(some, store.beat)
      return some.length
    },
    async replace(some) {
      await inTurn(some, replace)
      return some.length
    },
  }
  const costs = Object.fromEntries(commands.map((command) => [command, [] as CommandCost[]]))
  for (let round = 0; round <= rounds; round++) {
    const first = (round * EACH) % VIEWERS
    for (const command of commands) {
      const before = { valkey: await valkey.cpuSeconds(), gate: ownSeconds() }
      const count = await runs[command](all.slice(first, first + EACH))
      const per = (seconds: number): number => (seconds / count) * MILLION
      const gate = per(ownSeconds() - before.gate)
      const ofValkey = per((await valkey.cpuSeconds()) - before.valkey)
      // The first round compiles the code.
      if (round > 0) costs[command]?.push({ valkey: ofValkey, gate })
    }
  }
  const middle = (command: Command): CommandCost => ({
    valkey: median((costs[command] ?? []).map((one) => one.valkey)),
    gate: median((costs[command] ?? []).map((one) => one.gate)),
  })
  const measured = Object.fromEntries(commands.map((command) => [command, middle(command)]))
  progress.done(`a write takes ${middle('write').valkey.toFixed(1)} µs of Valkey`, commandsSeconds(rounds))
  return measured as Record<Command, CommandCost>
}

/** Some at once, as the misses of a busy gate. */
async function inTurn(
  some: readonly StoredViewer[],
  act: (one: StoredViewer) => Promise<unknown>,
): Promise<void> {
  const next = some[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const one of next) await act(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** CPU seconds of this process. */
function ownSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / MILLION
}
