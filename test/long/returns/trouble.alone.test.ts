import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Boxes, startBoxes } from '../../support/boxes.ts'
import { type RestartedSite, restart, startRestartedSite } from '../../support/play-through-restarts.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'

/** The boxes that play, and those that come meanwhile. The latter have long links, which fill the store. */
const PLAYING = 40
const NEW = 600
const PADDING = 6_000
/** The store is opened again within ten seconds; a busy machine takes longer. */
const PATIENCE = 40_000
/** What waits for the store is then written, also on a busy machine; milliseconds. */
const WRITTEN = 2_000

/** Boxes that play on with dead links; all that is not 200 fails the test in the end. */
async function startPlaying(t: TestContext, site: RestartedSite): Promise<Boxes> {
  const boxes = startBoxes(t, site.nginx, { count: PLAYING, links: site.portal.links, connections: 8 })
  const seen = await boxes.open()
  assert.deepEqual(seen, { 200: PLAYING }, refusedLines(site))
  site.portal.killLinks()
  boxes.play()
  return boxes
}

function startNew(t: TestContext, { nginx, portal }: RestartedSite, name: string): Boxes {
  const { links } = portal
  return startBoxes(t, nginx, { count: NEW, links, connections: 8, name, padding: PADDING })
}

const refusedLines = ({ nginx }: RestartedSite): string =>
  nginx
    .accessLog()
    .filter((line) => line.includes(' 403 '))
    .join('\n')

const told = ({ gate }: RestartedSite): string[] =>
  gate
    .log()
    .map(({ message, why }) => `${message} ${why ?? ''}`.trim())
    .filter((line) => line.startsWith('state '))

/** Waits for as many lines about the store, which are then all of them. */
async function untilTold(site: RestartedSite, ...lines: string[]): Promise<void> {
  await until(`the log to say: ${lines.at(-1)}`, () => told(site).length >= lines.length, PATIENCE).catch(
    () => {},
  )
  assert.deepEqual(told(site), lines)
}

describe('trouble with the store in full play', { concurrency: true }, () => {
  test('a full disk: nobody is cut, and with room again all is written that was not', async (t) => {
    const disk = makeTemporaryFolder(t)
    const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
    const mount = `mount -t tmpfs -o size=32m,mode=755 tmpfs ${disk} && exec "$@"`
    const site = await startRestartedSite(t, `${disk}/state`, [
      ...['unshare', ...asRoot, '--mount', 'sh', '-c', mount, 'sh'],
    ])
    const boxes = await startPlaying(t, site)
    const filler = `/proc/${site.gate.pid()}/root${disk}/filler`
    const { full } = fill(filler)
    assert.ok(full, 'there was room for all')
    const others = startNew(t, site, 'others')
    assert.deepEqual(await others.open(), { 200: NEW })
    await untilTold(site, 'state unavailable full')
    site.portal.killLinks()
    assert.deepEqual(Object.keys(await others.round()), ['200'])
    rmSync(filler)
    await untilTold(site, 'state unavailable full', 'state available again')
    await goOnAfterRestart(site, boxes, [others])
  })

  test('a folder whose rights are taken away: nobody is cut, and with rights again all is written', async (t) => {
    // Rights count for root only without this capability.
    const plain = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search']
    const folder = `${makeTemporaryFolder(t)}/state`
    const site = await startRestartedSite(t, folder, process.getuid?.() === 0 ? plain : [])
    const boxes = await startPlaying(t, site)
    chmodSync(join(folder, 'sessions'), 0o000)
    const others = startNew(t, site, 'others')
    assert.deepEqual(await others.open(), { 200: NEW })
    await untilTold(site, 'state unavailable rights')
    site.portal.killLinks()
    assert.deepEqual(Object.keys(await others.round()), ['200'])
    chmodSync(join(folder, 'sessions'), 0o700)
    await untilTold(site, 'state unavailable rights', 'state available again')
    await goOnAfterRestart(site, boxes, [others])
  })

  test('a folder that another gate uses: nobody of either is cut, and it is taken when it is free', async (t) => {
    const first = await startRestartedSite(t)
    const ours = await startPlaying(t, first)
    const second = await startRestartedSite(t, first.folder)
    const theirs = await startPlaying(t, second)
    await untilTold(second, 'state unavailable in-use')
    assert.deepEqual(Object.keys(await ours.leave()), ['200'])
    const goOn = first.gate.hold()
    process.kill(first.gate.pid(), 'SIGKILL')
    await untilTold(second, 'state unavailable in-use', 'state available again')
    await goOnAfterRestart(second, theirs, [])
    assert.deepEqual(told(first), [])
    goOn()
    await untilTold(first, 'state unavailable in-use')
  })

  test('damaged blocks between two starts: it is set aside, told, and a fresh one begun', async (t) => {
    const site = await startRestartedSite(t)
    const boxes = await startPlaying(t, site)
    await until('all boxes to play', () => boxes.turns() >= 2)
    assert.deepEqual(Object.keys(await boxes.leave()), ['200'])
    const goOn = site.gate.hold()
    const pid = site.gate.pid()
    process.kill(pid, 'SIGTERM')
    await until('the gate to end', () => !isRunning(pid))
    damage(join(site.folder, 'sessions'))
    goOn()
    await untilTold(site, 'state set aside')
    assert.deepEqual(readdirSync(site.folder).sort(), ['damaged', 'sessions'])
    await goOnAfterRestart(site, await startPlaying(t, site), [])
  })

  test('a foreign file in the place of the folder: it is left alone, and the gate decides without', async (t) => {
    const folder = `${makeTemporaryFolder(t)}/state`
    mkdirSync(folder, { mode: 0o700 })
    writeFileSync(join(folder, 'accounts.txt'), 'precious')
    const site = await startRestartedSite(t, folder)
    const boxes = await startPlaying(t, site)
    await untilTold(site, 'state unavailable foreign')
    await until('all boxes to play', () => boxes.turns() >= 2)
    assert.deepEqual(Object.keys(await boxes.leave()), ['200'])
    assert.deepEqual(readdirSync(folder), ['accounts.txt'])
  })
})

/** All go on after a restart, without a question to the portal. */
async function goOnAfterRestart(site: RestartedSite, boxes: Boxes, others: readonly Boxes[]): Promise<void> {
  const { asked } = site.portal.backend
  const before = asked.length
  const turn = boxes.turns()
  await until('all boxes to play', () => boxes.turns() >= turn + 2, PATIENCE)
  await delay(WRITTEN)
  await restart(site.gate, 'SIGTERM')
  for (const each of others) {
    const seen = Object.keys(await each.round())
    assert.deepEqual(seen, ['200'], refusedLines(site))
  }
  const again = boxes.turns()
  await until('all boxes to play', () => boxes.turns() >= again + 2, PATIENCE)
  assert.deepEqual(Object.keys(await boxes.leave()), ['200'], refusedLines(site))
  assert.equal(asked.length, before, 'no further question')
}

/** Writes until there is no room. */
function fill(file: string): { readonly full: boolean } {
  writeFileSync(file, '')
  try {
    for (let n = 0; n < 1_000; n++) writeFileSync(file, Buffer.alloc(65_536), { flag: 'a' })
  } catch {
    return { full: true }
  }
  return { full: false }
}

/** Cuts the list of LevelDB's files short, without which nothing can be read. */
function damage(sessions: string): void {
  const manifest = readdirSync(sessions).find((name) => name.startsWith('MANIFEST'))
  assert.ok(manifest !== undefined)
  const file = join(sessions, manifest)
  truncateSync(file, Math.floor(statSync(file).size / 2))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
