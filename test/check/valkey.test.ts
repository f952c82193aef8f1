import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Finding } from '../../src/check/finding.ts'
import { checkStore } from '../../src/check/store/check-store.ts'
import { createLookAtValkey } from '../../src/check/store/look-at-valkey.ts'
import { neededCommands } from '../../src/state/valkey/shared-scripts.ts'
import type { ValkeySettings } from '../../src/state/valkey/valkey-settings.ts'
import { checkSite, startCheckedSite, textOf } from '../support/checked-site.ts'
import { forSuite } from '../support/scope.ts'
import { portOf, settingsFor, startCluster, startValkey, startWithSentinels } from '../support/valkey.ts'

const clock = (): number => performance.now()

async function look(settings: ValkeySettings, now: () => number = Date.now): Promise<readonly Finding[]> {
  const state = { kind: 'valkey', ...settings } as const
  const lookAtValkey = createLookAtValkey({ clock, now })
  return await checkStore({ state, isChosen: true, running: undefined, lookAtValkey, configuration: '' })
}

/** The findings, as `result: finding → remedy`. */
async function check(settings: ValkeySettings, now?: () => number): Promise<string> {
  const findings = await look(settings, now)
  return findings.map(({ result, finding, remedy }) => `${result}: ${finding} → ${remedy}`).join('\n')
}

describe('check finds of a Valkey', () => {
  const valkey = forSuite((scope) => startValkey(scope))
  const asUser = (username: string): ValkeySettings =>
    settingsFor([valkey], { username, password: 'hunter2' })

  test('nothing wrong, and leaves nothing there', async () => {
    const told = await check(settingsFor([valkey]))
    assert.match(told, /^ok: Valkey at 127\.0\.0\.1:\d+ \(\d+(?:\.\d)? ms, noeviction\) → undefined$/)
    const keys = await valkey.cli('KEYS', '*')
    for (const key of keys.split('\n').filter((one) => one !== '')) {
      assert.match(key, /^test:2:\{all\}gates:probe:(?:hash|text|list)$/)
      assert.ok(Number(await valkey.cli('PTTL', key)) <= 1_000)
    }
  })

  test('that nothing listens there, or no name of that kind is known', async () => {
    const nodes = [{ kind: 'tcp', host: '127.0.0.1', port: 9 }] as const
    assert.match(
      await check({ ...settingsFor([valkey]), nodes }),
      /^failed: Valkey at 127\.0\.0\.1:9: nothing listens there for us → start it, or correct STATE_URL/,
    )
    const unknown = [{ kind: 'tcp', host: 'valkey.invalid', port: 6379 }] as const
    assert.match(
      await check({ ...settingsFor([valkey]), nodes: unknown }),
      /^failed: Valkey at valkey\.invalid:/,
    )
  })

  test('a wrong password, without telling it', async () => {
    const told = await check(asUser('nobody'))
    assert.match(
      told,
      /^failed: Valkey at \S+: it does not take the user and password of STATE_URL → correct/,
    )
    assert.doesNotMatch(told, /hunter2/)
  })

  test('rights that do not suffice', async () => {
    await valkey.cli('ACL', 'SETUSER', 'reader', 'on', '>hunter2', '~test:*', '+@read', '+time', '+info')
    assert.match(
      await check(asUser('reader')),
      /^failed: Valkey at \S+: the rights of the user in STATE_URL do not suffice → give the ACL of docs\/scale\.md/,
    )
    await valkey.cli('ACL', 'SETUSER', 'elsewhere', 'on', '>hunter2', '~other:*', '+@all')
    assert.match(await check(asUser('elsewhere')), /the rights of the user in STATE_URL do not suffice/)
  })

  test('each right that is missing', async () => {
    const without = async (command: string): Promise<string> => {
      const rest = neededCommands.filter((one) => one !== command).map((one) => `+${one}`)
      await valkey.cli('ACL', 'SETUSER', `no-${command}`, 'on', '>hunter2', '~test:*', '-@all', ...rest)
      return await check(asUser(`no-${command}`))
    }
    const told = await Promise.all(neededCommands.map(async (command) => [command, await without(command)]))
    for (const [command, said = ''] of told)
      assert.match(said, /^failed: .* rights .* do not suffice/, command)
  })

  test('nothing of what a user with few rights may not ask', async () => {
    const few = ['resetkeys', '~test:*', '-@all', ...neededCommands.map((one) => `+${one}`)]
    await valkey.cli('ACL', 'SETUSER', 'few', 'on', '>hunter2', ...few)
    assert.match(await check(asUser('few')), /^ok: Valkey at \S+ \(\S+ ms, policy not told\)/)
  })

  test('a policy that throws keys away', async () => {
    await valkey.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const told = await check(settingsFor([valkey]))
    await valkey.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    assert.match(told, /^warning: .*\(maxmemory-policy allkeys-lru\).* → set maxmemory-policy noeviction/)
  })

  test('that it saves to a disk', async () => {
    await valkey.cli('CONFIG', 'SET', 'save', '3600 1')
    const saving = await check(settingsFor([valkey]))
    await valkey.cli('CONFIG', 'SET', 'save', '')
    assert.match(saving, /^ok: .* noeviction, sealed on its disk, too\)/)
  })

  test('a way that takes longer than STATE_TIMEOUT, or most of it', async () => {
    const far = async () => ({ name: 'h:6379', roundTrip: 60, policy: 'noeviction' })
    for (const [timeout, told] of [
      [50, /^failed: Valkey at h:6379 answers after 60 ms, and STATE_TIMEOUT=50ms: gates go on without it$/],
      [100, /^warning: Valkey at h:6379 answers after 60 ms, and STATE_TIMEOUT=100ms: a busy moment/],
      [120, /^ok: Valkey at h:6379 \(60 ms, noeviction\)$/],
    ] as const) {
      const state = { kind: 'valkey', ...settingsFor([valkey], { timeout }) } as const
      const options = { state, isChosen: true, running: undefined, lookAtValkey: far, configuration: '' }
      const [finding] = await checkStore(options)
      assert.match(`${finding?.result}: ${finding?.finding}`, told)
    }
  })

  test('a clock that is wrong', async () => {
    const told = await check(settingsFor([valkey]), () => Date.now() - 60_000)
    assert.match(
      told,
      /^warning: the clock of Valkey at \S+ is 60 s ahead of this machine's → let NTP set both/,
    )
    assert.match(
      await check(settingsFor([valkey]), () => Date.now() + 60_000),
      /is 60 s behind this machine's/,
    )
  })

  test('a replica, which takes no writes', async (t) => {
    const primary = portOf(valkey.address)
    const replica = await startValkey(t, { more: ['--replicaof', `127.0.0.1 ${primary}`] })
    assert.match(await check(settingsFor([replica])), /^failed: .*takes no writes → name the primary/)
  })

  test('a full memory', async (t) => {
    const full = await startValkey(t, { more: ['--maxmemory', '1'] })
    assert.match(await check(settingsFor([full])), /^failed: .*its memory is full → raise its maxmemory/)
  })

  test('one that is silent, within a few seconds', async (t) => {
    const silent = await startValkey(t)
    silent.pause()
    assert.match(
      await check(settingsFor([silent])),
      /^failed: .*it does not answer in time → look at its load/,
    )
    silent.goOn()
  })
})

test('check looks at a Unix socket, behind Sentinels, and at a cluster', async (t) => {
  const socket = await startValkey(t, { unix: true })
  assert.match(await check(settingsFor([socket])), /^ok: Valkey at \/\S+\.sock \(/)

  const { sentinels } = await startWithSentinels(t, 1)
  const mode = { kind: 'sentinel', name: 'test' } as const
  assert.match(await check({ ...settingsFor([]), mode, nodes: sentinels }), /^ok: Valkey at 127\.0\.0\.1:/)
  const other = { kind: 'sentinel', name: 'other' } as const
  assert.match(
    await check({ ...settingsFor([]), mode: other, nodes: sentinels }),
    /^failed: .*its Sentinels know no servers of the name in STATE_MODE → correct it/,
  )

  const cluster = await startCluster(t)
  const [finding] = await look(settingsFor(cluster.slice(0, 1), { mode: { kind: 'cluster' } }))
  assert.equal(finding?.result, 'ok', finding?.finding)
})

test('the command checks a Valkey of the settings', async (t) => {
  const { environment } = await startCheckedSite(t, { settings: { STATE_URL: 'off' } })
  const valkey = await startValkey(t)
  const findings = await checkSite({
    ...environment,
    ...{ STATE_URL: `valkey://127.0.0.1:${portOf(valkey.address)}`, STATE_SECRET: 's'.repeat(32) },
  })
  assert.match(textOf(findings, 'store'), /the running gate has no store/)
})
