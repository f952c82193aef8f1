import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import type { Debian } from './debian.ts'
import { readCommands } from './read-commands.ts'
import { assertConfinedAs } from './running-service.ts'

const service = 'alta-auth@2.service'
const questions = '/tmp/questions'
const playlist = '/live/channel/index.m3u8'

/**
 * Asks a gate as nginx does, in the place of a viewer with this player. Returns status, source and reason.
 */
async function askGate(debian: Debian, where: string, player: string, query: string): Promise<string> {
  const headers = {
    'X-Original-Ip': '192.0.2.7',
    'X-Original-Origin': 'http://live.example.com',
    'X-Original-Path': `${playlist}|`,
    'X-Original-Uri': `${playlist}${query}`,
    'X-Original-Ua': player,
  }
  const sent = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`)
  const format = '%{http_code} %header{x-auth-source} %header{x-auth-reason}'
  return debian.run(`curl -s -o /dev/null -w '${format}' ${sent.join(' ')} ${where}`)
}

/** The section "Several gates on one machine": two gates, one memory, and one view of all. */
export async function followSeveralGates(debian: Debian): Promise<void> {
  const [valkey = '', start = '', upstream = '', ...others] = readCommands('Several gates on one machine')
  assert.deepEqual(others, [])
  for (const block of [valkey, start, untilReady(9181), untilReady(9182)]) await debian.run(block)
  await debian.run(upstream)
  const units = 'alta-auth.service alta-auth-valkey.service alta-auth@2.socket alta-auth@2.service'
  for (const [what, answer] of [
    ['is-active', 'active'],
    ['is-enabled', 'enabled'],
  ])
    assert.equal(await debian.run(`systemctl ${what} ${units}`), `${answer}\n`.repeat(4))
  await assertConfinedAs(debian, service, 'alta-auth.service')
  await assertSocketsAreClosed(debian)

  const first = 'http://127.0.0.1:9180/auth'
  const second = '--unix-socket /run/alta-auth-gates/2.sock http://alta-auth/auth'
  for (const [there, here, player] of [
    [first, second, 'one'],
    [second, first, 'two'],
  ] as const) {
    assert.equal(await askGate(debian, there, player, '?token=123'), '200 backend backend-200')
    const asked = await questionsSoFar(debian)
    assert.equal(await askGate(debian, here, player, ''), '200 session adopted')
    assert.equal(await askGate(debian, here, player, ''), '200 session riding')
    assert.equal(await questionsSoFar(debian), asked)
    assert.match(await askGate(debian, here, `${player} more`, ''), /^403 /)
  }
  await assertOneView(debian)
  await assertOutlivesAGate(debian)
}

/** A command that waits for a gate, which a busy machine starts slowly. */
const untilReady = (admin: number): string =>
  `curl -sf -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:${admin}/readyz`

/** How often the backend of give-channel.ts was asked. */
async function questionsSoFar(debian: Debian): Promise<number> {
  return Number(await debian.run(`wc -l < ${questions}`))
}

/** Neither the sockets of the gates nor Valkey are for everybody. */
async function assertSocketsAreClosed(debian: Debian): Promise<void> {
  assert.equal(
    await debian.run("stat --format '%a %U:%G' /run/alta-auth-gates/2.sock /run/alta-auth-valkey"),
    '660 root:www-data\n700 alta-auth:alta-auth\n',
  )
  const asNobody = await debian.tryRun(
    'setpriv --reuid=nobody --clear-groups curl -s --unix-socket /run/alta-auth-gates/2.sock http://alta-auth/auth',
  )
  assert.equal(asNobody.code, 7)
  // Nothing of Valkey listens to a network.
  assert.doesNotMatch(await debian.run('cat /proc/net/tcp /proc/net/tcp6'), /:18EB /)
  // And it has written nothing.
  assert.equal(await debian.run('ls -A /run/alta-auth-valkey'), 'valkey.sock\n')
}

/** Any gate's admin listener tells the sessions of all. */
async function assertOneView(debian: Debian): Promise<void> {
  for (const port of [9181, 9182]) {
    const { sessions } = JSON.parse(await debian.run(`curl -s http://127.0.0.1:${port}/sessions`)) as {
      sessions: readonly { player?: string }[]
    }
    const text = JSON.stringify(sessions)
    for (const player of ['one', 'two']) assert.ok(text.includes(`"${player}"`), `${port}: ${text}`)
  }
}

/** A gate that is gone leaves its viewers to the other one, through nginx. */
async function assertOutlivesAGate(debian: Debian): Promise<void> {
  const ask = (player: string, query: string) =>
    debian.run(
      `curl -s -o /dev/null -w '%{http_code}' -A '${player}' -H 'Host: live.example.com' 'http://127.0.0.1${playlist}${query}'`,
    )
  const players = Array.from({ length: 8 }, (_, box) => `box-${box}`)
  const live = async (): Promise<number> =>
    JSON.parse(await debian.run('curl -s http://127.0.0.1:9182/readyz')).sessions.live
  const before = await live()
  // nginx reloads in the background.
  await until(
    'nginx to ask both gates',
    async () => {
      for (const player of players) assert.equal(await ask(player, '?token=123'), '200')
      return (await live()) > before
    },
    30_000,
  )
  const asked = await questionsSoFar(debian)
  await debian.run(`systemctl stop alta-auth@2.socket ${service}`)
  for (const player of players) assert.equal(await ask(player, ''), '200', player)
  await debian.run(`systemctl start alta-auth@2.socket ${service}; ${untilReady(9182)}`)
  await debian.run('systemctl stop alta-auth.socket alta-auth.service')
  for (const player of players) assert.equal(await ask(player, ''), '200', player)
  await debian.run(`systemctl start alta-auth.socket alta-auth.service; ${untilReady(9181)}`)
  assert.equal(await questionsSoFar(debian), asked)
}
