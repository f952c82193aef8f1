import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { boxFiles, startBoxes } from './boxes.ts'
import { type InheritedGate, startInheritedGate } from './inherited-gate.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { type Portal, startPortal } from './portal.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

/** Written behind within 100 ms, and a busy machine may be late; milliseconds. */
const WRITTEN = 1_000

/** A portal, a gate that is started again whenever it ends, with a store, and nginx. */
export interface RestartedSite {
  readonly portal: Portal
  readonly gate: InheritedGate
  readonly nginx: Nginx
  /** Of the store. */
  readonly folder: string
}

/** @param within see `startInheritedGate` */
export async function startRestartedSite(
  scope: Scope,
  folder = `${makeTemporaryFolder(scope)}/state`,
  within: readonly string[] = [],
): Promise<RestartedSite> {
  const portal = await startPortal(scope)
  const environment = {
    BACKEND_URL: portal.backend.url,
    MIDDLEWARE: 'ministra',
    STATE_URL: `file:${folder}`,
    // A busy machine is no slow store: the portal would be asked beside it.
    STATE_TIMEOUT: '1s',
  }
  const gate = await startInheritedGate(scope, environment, within)
  const nginx = await startNginx(scope, { files: boxFiles, gates: [`127.0.0.1:${gate.port}`] })
  return { portal, gate, nginx, folder }
}

/** Ends the gate, and waits for the next one. */
export async function restart(gate: InheritedGate, signal: NodeJS.Signals): Promise<void> {
  await until('a gate', () => gate.pid() > 0)
  const pid = gate.pid()
  process.kill(pid, signal)
  await until('the next gate', () => gate.pid() !== pid, 30_000)
}

/**
 * Boxes with dead links play while the gate is restarted again and again. Each is served once at least
 * between two restarts. It fails when a box is refused, except by nginx itself, or when the portal is asked
 * once more.
 */
export async function playThroughRestarts(
  t: TestContext,
  { portal, gate, nginx }: RestartedSite,
  options: { readonly count: number; readonly restarts: number; readonly signal: NodeJS.Signals },
): Promise<void> {
  const { count, restarts, signal } = options
  const connections = Math.min(count, 32)
  const boxes = startBoxes(t, nginx, { count, connections, links: portal.links, name: signal })
  const asked = portal.backend.asked.length
  assert.deepEqual(await boxes.open(), { 200: count })
  assert.equal(portal.backend.asked.length - asked, count)
  portal.killLinks()
  if (signal === 'SIGKILL') await delay(WRITTEN)

  boxes.play()
  const playOn = async (): Promise<void> => {
    const enough = boxes.turns() + 2
    await until('all boxes to be served', () => boxes.turns() >= enough, 60_000)
  }
  for (let done = 0; done < restarts; done++) {
    await playOn()
    await restart(gate, signal)
  }
  await playOn()
  const { 200: served = 0, 403: refused = 0, ...others } = await boxes.leave()
  const own = nginx.accessLog().filter((line) => line.includes(`"${signal}-`))
  const byNginx = own.filter((line) => line.includes('source=nginx reason=gate-unavailable')).length
  const adopted = own.filter((line) => line.includes('reason=adopted')).length
  t.diagnostic(
    `${restarts} times ${signal}: ${served + refused} requests, ${byNginx} refused by nginx, ${adopted} adopted`,
  )
  assert.deepEqual(others, {})
  assert.equal(refused, byNginx, own.filter((line) => / 403 .*source=(?!nginx)/.test(line)).join('\n'))
  if (signal === 'SIGTERM') assert.equal(refused, 0)
  assert.ok(adopted >= restarts * count, 'each box was adopted after each restart')
  assert.equal(portal.backend.asked.length - asked, count, 'no further question')
}
