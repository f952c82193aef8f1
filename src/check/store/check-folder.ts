import { MEGABYTE } from '../../config/heap.ts'
import type { FolderSettings } from '../../config/state-settings.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from '../gate/check-admin.ts'
import { type LookedAtStore, lookAtStore } from './look-at-store.ts'
import { splitSentence } from './split-sentence.ts'

const { ok, warning, failed, skipped } = findingsOf('store')
/** LevelDB writes so much at a time. Bytes. */
const LEAST_ROOM = 4 * MEGABYTE

/** What a store itself shows. */
export interface CheckedStore {
  readonly flaws: readonly Finding[]
  /** What is said of it where nothing has a flaw. */
  readonly sound: Finding
}

/** Checks a store in a folder. What the running gate has said of it is not said again. */
export async function checkFolder(state: FolderSettings, running: Readyz['state']): Promise<CheckedStore> {
  const looked = await lookAtStore(state.folder)
  return {
    flaws: [...ofFolder(state, looked, running), ...ofRoom(state, looked), ...ofAside(looked)],
    sound: asItShouldBe(state, looked),
  }
}

function ofFolder({ folder }: FolderSettings, looked: LookedAtStore, running: Readyz['state']): Finding[] {
  const { trouble, hidden } = looked
  if (hidden)
    return running?.usable ? [] : [skipped(`this user may not look into ${folder}`, 'run this check as root')]
  if (trouble === undefined || (running?.usable === false && running.why === trouble.trouble)) return []
  const [what, cure] = splitSentence(trouble.message)
  return [failed(what, cure, { why: trouble.trouble })]
}

function ofRoom({ folder, max }: FolderSettings, { free, used }: LookedAtStore): Finding[] {
  const detail = { free, used, max }
  if (free < LEAST_ROOM)
    return [failed(`${folder} has no room: ${megabytes(free)} are free`, 'make room there', detail)]
  if (free + used >= max) return []
  const remedy = 'make room there, or write a smaller STATE_MAX'
  return [
    warning(
      `STATE_MAX=${megabytes(max)}, but ${folder} has room for ${megabytes(free + used)}`,
      remedy,
      detail,
    ),
  ]
}

function ofAside({ aside }: LookedAtStore): Finding[] {
  if (aside === undefined) return []
  const since = new Date(aside.since).toISOString()
  const remedy = 'look why it was damaged, then remove it; the gate removes it after seven days'
  return [warning(`${aside.folder} is a damaged store that was put aside at ${since}`, remedy, { since })]
}

function asItShouldBe(
  { folder, max, secrets }: FolderSettings,
  { inMemory, free, used }: LookedAtStore,
): Finding {
  const detail = { free, used, max }
  const room = `${megabytes(used)} of ${megabytes(max)}`
  if (inMemory)
    return ok(`${folder}, in memory: it outlives a restart, not a reboot (${room})`, undefined, detail)
  if (secrets.length > 0) return ok(`${folder}, on a disk, sealed (${room})`, undefined, detail)
  const remedy =
    'addresses and URLs of viewers stand there with their tokens, for about a day; STATE_SECRET seals them: openssl rand -hex 32'
  return ok(`${folder}, on a disk, not sealed (${room})`, remedy, detail)
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEGABYTE)}m`
}
