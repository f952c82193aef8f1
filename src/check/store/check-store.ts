import type { StateSettings } from '../../config/state-settings.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Readyz } from '../gate/check-admin.ts'
import { checkFolder } from './check-folder.ts'
import { checkValkey } from './check-valkey.ts'
import type { LookAtValkey } from './look-at-valkey.ts'
import { splitSentence } from './split-sentence.ts'

interface CheckStoreOptions {
  /** Undefined where the settings have none. */
  readonly state: StateSettings | undefined
  /** STATE_URL is written somewhere. */
  readonly isChosen: boolean
  /** What the running gate says of its store; undefined when it does not say. */
  readonly running: Readyz['state']
  readonly lookAtValkey: LookAtValkey
  /** What all gates that share a store have to have in common. */
  readonly configuration: string
}

const { ok, warning, failed } = findingsOf('store')

/** Checks the store, where sessions outlive the gate. */
export async function checkStore({
  state,
  isChosen,
  running,
  lookAtValkey,
  configuration,
}: CheckStoreOptions): Promise<readonly Finding[]> {
  if (state === undefined) return [withoutStore(isChosen, running)]
  const { flaws, sound } =
    state.kind === 'file'
      ? await checkFolder(state, running)
      : await checkValkey(state, running, lookAtValkey, configuration)
  const findings = [...ofGate(running), ...flaws]
  return findings.length > 0 ? findings : [sound]
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
  const [what, cure] = splitSentence(message)
  const detail = { why, since }
  return [failed(`the running gate decides without its store since ${since} (${why}): ${what}`, cure, detail)]
}
