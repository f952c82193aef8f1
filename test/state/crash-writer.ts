// Writes and removes without end, and prints what is acknowledged. It is there to be killed.
import { writeSync } from 'node:fs'
import { makeLevelPlaceIn } from './level-place.ts'
import { makeWrite } from './records.ts'

const [folder = '', round = ''] = process.argv.slice(2)

async function writeUntilKilled(): Promise<void> {
  const store = makeLevelPlaceIn(folder).create()
  const said = await store.open()
  if (said !== undefined) throw new Error(said)
  const tell = (line: string): void => void writeSync(1, `${line}\n`)
  for (let batch = 0; ; batch += 1) {
    const ids = Array.from({ length: 20 }, (_, n) => `${round}-${batch}-${n}`)
    // Three viewers share all of a batch, so that their bundles are written again and again.
    await store.write(
      ids.map((id, n) => makeWrite({ id, viewer: `viewer ${batch % 3}-${n}`, query: 'x'.repeat(500) })),
    )
    tell(`written ${batch % 3} ${ids.join(' ')}`)
    await store.remove(ids.slice(0, 5).map((id, n) => ({ id, viewer: `viewer ${batch % 3}-${n}` })))
    tell(`removed ${batch % 3} ${ids.slice(0, 5).join(' ')}`)
    await store.mark({ filter: { user: ids[0] as string }, at: store.now(), until: Number.MAX_SAFE_INTEGER })
    tell(`marked ${ids[0]}`)
  }
}

void writeUntilKilled()
