// Writes and removes without end, and prints what is acknowledged. It is there to be killed.
import { writeSync } from 'node:fs'
import { changeOf } from './conformance.ts'
import { makeFolderPlaceIn } from './folder-place.ts'

const [folder = '', round = ''] = process.argv.slice(2)

async function writeUntilKilled(): Promise<void> {
  const store = makeFolderPlaceIn(folder).create()
  const said = await store.open()
  if (said !== undefined) throw new Error(said)
  const tell = (line: string): void => void writeSync(1, `${line}\n`)
  for (let batch = 0; ; batch += 1) {
    const ids = Array.from({ length: 20 }, (_, n) => `${round}-${batch}-${n}`)
    // Three viewers share all of a batch, so that their bundles are written again and again.
    await store.write(
      ids.map((id, n) => changeOf(`viewer ${batch % 3}-${n}`, id, { value: Buffer.alloc(500, 1) })),
    )
    tell(`written ${batch % 3} ${ids.join(' ')}`)
    const end = { value: Buffer.from('end'), keepFor: 3_600_000 }
    await store.end(ids.slice(0, 5).map((id, n) => ({ ...end, id, viewer: `viewer ${batch % 3}-${n}` })))
    tell(`removed ${batch % 3} ${ids.slice(0, 5).join(' ')}`)
    await store.markUser(ids[0] as string, batch + 1, Buffer.from('mark'), 3_600_000)
    tell(`marked ${ids[0]}`)
  }
}

void writeUntilKilled()
