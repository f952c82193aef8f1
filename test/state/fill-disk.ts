// Fills the disk of a store that it mounts itself, gives it room again, and prints what it saw as JSON. It is
// run in a mount namespace of its own.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { StoreError } from '../../src/state/record-store.ts'
import { makeLevelPlaceIn } from './level-place.ts'
import { randomText } from './random-text.ts'
import { makeWrite } from './records.ts'

/** What was seen on a disk of one size. */
export interface FilledDisk {
  readonly size: string
  readonly acknowledged: number
  readonly removed: number
  readonly trouble: string
  /** The next write, before anything is opened again. */
  readonly next: string
  /** Opened three times on the full disk: why it cannot be, or `opened`. */
  readonly reopened: readonly string[]
  /** What `open` said of damage when there was room. */
  readonly said: string | null
  readonly lost: number
  readonly cameBack: number
  readonly marks: number
  readonly afterwards: string
}

const [mountPoint = '', ...sizes] = process.argv.slice(2)

async function fill(size: string): Promise<FilledDisk> {
  const mount = (options: string, ...rest: string[]): void =>
    void execFileSync('mount', [...rest, '-o', `${options},mode=755`, 'tmpfs', mountPoint])
  mount(`size=${size}`, '-t', 'tmpfs')
  const store = makeLevelPlaceIn(join(mountPoint, 'state')).create()
  const acknowledged = new Set<string>()
  const removed = new Set<string>()
  const trouble = await troubleOf(async () => {
    await store.open()
    await store.mark({ filter: { user: 'anna' }, at: 1, until: Number.MAX_SAFE_INTEGER })
    for (let batch = 0; ; batch += 1) {
      const ids = Array.from({ length: 1 + (batch % 7) }, (_, n) => `${batch}-${n}`)
      await store.write(ids.map((id) => makeWrite({ id, viewer: id, query: randomText(600) })))
      for (const id of ids) acknowledged.add(id)
      if (batch % 10 !== 9) continue
      const id = ids[0] as string
      await store.remove([{ id, viewer: id }])
      removed.add(id)
    }
  })
  const next = await troubleOf(() => store.write([makeWrite()]))
  const reopened: string[] = []
  for (let tries = 0; tries < 3; tries += 1) reopened.push(await troubleOf(() => store.open()))
  mount('remount,size=200m')
  const said = (await store.open()) ?? null
  let [lost, cameBack] = [0, 0]
  for (const id of acknowledged) {
    const { length } = await store.recall(id)
    if (removed.has(id)) cameBack += length
    else lost += 1 - length
  }
  const marks = (await store.marks()).length
  const afterwards = await troubleOf(() => store.write([makeWrite()]))
  await store.close()
  execFileSync('umount', [mountPoint])
  const counts = { acknowledged: acknowledged.size, removed: removed.size, lost, cameBack, marks }
  return { size, ...counts, trouble, next, reopened, said, afterwards }
}

async function troubleOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
    return 'none'
  } catch (error) {
    return error instanceof StoreError ? error.trouble : String(error)
  }
}

async function fillAll(): Promise<void> {
  const seen: FilledDisk[] = []
  for (const size of sizes) seen.push(await fill(size))
  process.stdout.write(JSON.stringify(seen))
}

if (mountPoint !== '') void fillAll()
