import { MEGABYTE } from '../../config/heap.ts'
import type { StateSettings } from '../../config/read-settings.ts'
import type { StoreError } from '../../state/record-store.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from '../gate/check-admin.ts'
import { type LookedAtStore, lookAtStore } from './look-at-store.ts'

export interface CheckStoreOptions {
  /** Undefined where the settings have none. */
  readonly state: StateSettings | undefined
  /** STATE_URL is written somewhere. */
  readonly isChosen: boolean
  /** What the running gate says of its store; undefined when it does not say. */
  readonly running: Readyz['state']
}

const { ok, warning, failed, skipped } = findingsOf('store')
/** LevelDB writes so much at a time. Bytes. */
const LEAST_ROOM = 4 * MEGABYTE

/** Checks the store, where sessions outlive the gate. */
export async function checkStore({
  state,
  isChosen,
  running,
}: CheckStoreOptions): Promise<readonly Finding[]> {
  if (state === undefined) return [withoutStore(isChosen, running)]
  const looked = await lookAtStore(state.folder)
  const findings = [
    ...ofGate(running),
    ...ofFolder(state, looked, running),
    ...ofRoom(state, looked),
    ...ofAside(looked),
  ]
  return findings.length > 0 ? findings : [asItShouldBe(state, looked)]
}

function withoutStore(isChosen: boolean, running: Readyz['state']): Finding {
  if (running) {
    const remedy = 'run this check with the settings of the gate, or restart it, so that these count'
    return warning('the running gate has a store, but these settings have none', remedy)
  }
  const finding = 'a restart forgets who plays, and so does a pause longer than SESSION_IDLE'
  if (isChosen) return ok(`STATE_URL=off: ${finding}`)
  const remedy =
    'set STATE_URL=file:/var/lib/alta-auth/state, a folder of this gate alone; or STATE_URL=off, so that this is no warning'
  return warning(`STATE_URL is not set: ${finding}`, remedy)
}

function ofGate(running: Readyz['state']): Finding[] {
  if (running === null) {
    const remedy = 'restart it, so that these settings count'
    return [warning('the running gate has no store', remedy)]
  }
  if (running === undefined || running.usable) return []
  const { why = 'failed', since, message = '' } = running
  const [what, cure] = split(message)
  const detail = { why, since }
  return [failed(`the running gate decides without its store since ${since} (${why}): ${what}`, cure, detail)]
}

/** What the folder itself shows. What the gate has said is not said again. */
function ofFolder({ folder }: StateSettings, looked: LookedAtStore, running: Readyz['state']): Finding[] {
  const { trouble, hidden } = looked
  if (hidden)
    return running?.usable ? [] : [skipped(`this user may not look into ${folder}`, 'run this check as root')]
  if (trouble === undefined || (running?.usable === false && running.why === trouble.trouble)) return []
  const [what, cure] = split(trouble.message)
  return [failed(what, cure, { why: trouble.trouble })]
}

function ofRoom({ folder, max }: StateSettings, { free, used }: LookedAtStore): Finding[] {
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
  { folder, max, secrets }: StateSettings,
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

/** The sentence of a store's trouble: what is wrong, and behind the last semicolon the cure. */
function split(message: StoreError['message']): [what: string, cure: string | undefined] {
  const at = message.lastIndexOf('; ')
  return at === -1 ? [message, undefined] : [message.slice(0, at), message.slice(at + 2)]
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MEGABYTE)}m`
}
