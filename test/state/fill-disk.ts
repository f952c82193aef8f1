// Fills the disk of a store that it mounts itself, gives it room again, and prints what it saw as JSON. It is
// run in a mount namespace of its own.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../../src/state/store-engine.ts'
import { changeOf } from './conformance.ts'
import { makeFolderPlaceIn } from './folder-place.ts'
import { randomText } from './random-text.ts'

/** What was seen on a disk that has so many KB for the store. */
export interface FilledDisk {
  readonly size: string
  readonly acknowledged: number
  readonly ended: number
  readonly trouble: string
  /** The next write, before anything is opened again. */
  readonly next: string
  /** Opened three times on the full disk: why it cannot be, else what it said, or `none`. */
  readonly reopened: readonly string[]
  /** Writes 200 sessions more on the full disk. */
  readonly again: string
  /** What `open` said when there was room. */
  readonly said: string
  readonly lost: number
  readonly cameBack: number
  readonly isMarked: boolean
  readonly afterwards: string
}

/** STATE_MAX of the store, what others have written, and sizes as `mount` takes them: all in KB. */
const [mountPoint = '', max = '', foreign = '', ...sizes] = process.argv.slice(2)
const KEEP = 3_600_000

async function fill(size: string): Promise<FilledDisk> {
  const mount = (options: string, ...rest: string[]): void =>
    void execFileSync('mount', [...rest, '-o', `${options},mode=755`, 'tmpfs', mountPoint])
  mount(`size=${Number(foreign) + Number(size)}k`, '-t', 'tmpfs')
  writeFileSync(join(mountPoint, 'foreign'), Buffer.alloc(1_024 * Number(foreign)))
  const store = makeFolderPlaceIn(join(mountPoint, 'state')).create({ max: 1_024 * Number(max) })
  const acknowledged = new Set<string>()
  const ended = new Set<string>()
  let mark: Buffer | undefined
  const write = (id: string) => changeOf(id, id, { value: Buffer.from(randomText(600)) })
  const trouble = await troubleOf(async () => {
    await store.open()
    await store.markUser('anna', 1, Buffer.from('marked'), KEEP)
    mark = Buffer.from('marked')
    for (let batch = 0; ; batch += 1) {
      const ids = Array.from({ length: 1 + (batch % 7) }, (_, n) => `${batch}-${n}`.padEnd(22, '.'))
      const outcomes = await store.write(ids.map(write))
      for (const outcome of outcomes) if (outcome.kind === 'failed') throw outcome.error
      for (const id of ids) acknowledged.add(id)
      if (batch % 10 !== 9) continue
      const id = ids[0] as string
      await store.end([{ viewer: id, id, value: Buffer.from('ended'), keepFor: KEEP }])
      ended.add(id)
    }
  })
  const next = await troubleOf(() => store.write([write('next')]))
  const reopened: string[] = []
  for (let tries = 0; tries < 3; tries += 1) reopened.push(await saidBy(store.open))
  const again = await troubleOf(async () => {
    for (let n = 0; n < 200; n += 1) await store.write([write(`again-${n}`)])
  })
  mount('remount,size=200m')
  const said = await saidBy(store.open)
  let [lost, cameBack] = [0, 0]
  for (const id of acknowledged) {
    const [value] = await store.read(id, [id])
    if (!ended.has(id)) lost += value === undefined ? 1 : 0
    else if (value?.toString() !== 'ended' || (await store.list(id)).length > 0) cameBack += 1
  }
  const [there] = await store.marksOf(['anna'])
  const afterwards = await troubleOf(() => store.write([write('afterwards')]))
  await store.close()
  execFileSync('umount', [mountPoint])
  const counts = { acknowledged: acknowledged.size, ended: ended.size, lost, cameBack }
  return {
    size,
    ...counts,
    isMarked: mark?.equals(there ?? Buffer.alloc(0)) === true,
    ...{ trouble, next, reopened, again, said, afterwards },
  }
}

async function saidBy(open: () => Promise<string | undefined>): Promise<string> {
  let said: string | undefined
  const trouble = await troubleOf(async () => {
    said = await open()
  })
  return said ?? trouble
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
