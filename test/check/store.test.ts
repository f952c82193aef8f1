import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { checkStore } from '../../src/check/store/check-store.ts'
import { lookAtStore } from '../../src/check/store/look-at-store.ts'
import { checkSite, flawsOf, startCheckedSite, textOf } from '../support/checked-site.ts'
import type { Scope } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const usable = { usable: true, since: '2026-11-24T13:25:54.000Z' } as const

/** A gate of this process may have set its umask. */
function makeOpen(folder: string): void {
  mkdirSync(folder)
  chmodSync(folder, 0o755)
}

function place(scope: Scope): string {
  return join(makeTemporaryFolder(scope), 'state')
}

/** The findings about a folder, as `result: finding → remedy`. */
async function check(
  folder: string,
  { max = 1, secrets = [], running }: { max?: number; secrets?: string[]; running?: typeof usable } = {},
): Promise<string[]> {
  const state = { kind: 'file', folder, max: max * 1_048_576, secrets, timeout: 100 } as const
  const findings = await checkStore({ state, isChosen: true, running, lookAtValkey: async () => [] })
  return findings.map(({ result, finding, remedy }) => `${result}: ${finding} → ${remedy}`)
}

describe('check finds of the store', () => {
  test('nothing wrong, and changes nothing: neither while the gate has it open nor before', async (t) => {
    const folder = place(t)
    assert.match(
      (await check(folder)).join('\n'),
      /^ok: \S+\/state, on a disk, not sealed \(0m of 1m\) → .*STATE_SECRET seals/,
    )
    assert.ok(!existsSync(folder))
    const { environment, gate } = await startCheckedSite(t, {
      settings: { STATE_URL: `file:${folder}`, STATE_MAX: '16m' },
    })
    assert.deepEqual(flawsOf(await checkSite(environment)), [])
    assert.deepEqual(
      gate.log.filter(({ message }) => String(message).startsWith('state')),
      [],
    )
    assert.match(
      (await check(folder, { secrets: ['s'] }))[0] ?? '',
      /^ok: \S+, on a disk, sealed .* → undefined$/,
    )
  })

  test('that it is in memory', async (t) => {
    // Each Linux that systemd has started has a tmpfs there, and so has each container.
    const folder = mkdtempSync('/dev/shm/alta-auth-test-')
    t.after(() => rmSync(folder, { recursive: true }))
    assert.match(
      (await check(join(folder, 'state')))[0] ?? '',
      /^ok: .* in memory: it outlives a restart, not a reboot/,
    )
  })

  test('that there is none, and what to set', async (t) => {
    const { environment } = await startCheckedSite(t)
    const chosen = await checkSite(environment)
    assert.deepEqual(flawsOf(chosen), [])
    assert.match(textOf(chosen, 'store'), /^STATE_URL=off: a restart forgets who plays/)
    const findings = await checkSite({ ...environment, STATE_URL: '' })
    assert.deepEqual(flawsOf(findings), ['warning store'])
    assert.match(
      textOf(findings, 'store'),
      /^STATE_URL is not set: a restart forgets .*\nset STATE_URL=file:\//,
    )
  })

  test('that the running gate has none, or has one that these settings have not', async (t) => {
    const folder = place(t)
    const without = await startCheckedSite(t)
    const one = await checkSite({ ...without.environment, STATE_URL: `file:${folder}`, STATE_MAX: '16m' })
    assert.match(textOf(one, 'store'), /^the running gate has no store\nrestart it/)
    const withOne = await startCheckedSite(t, { settings: { STATE_URL: `file:${folder}` } })
    const other = await checkSite({ ...withOne.environment, STATE_URL: 'off' })
    assert.match(textOf(other, 'store'), /^the running gate has a store, but these settings have none\n/)
  })

  const wrong: readonly (readonly [string, (folder: string) => void, RegExp])[] = [
    [
      'a parent that is not there',
      () => {},
      /^failed: the store's parent folder \S+ does not exist → create it$/,
    ],
    [
      'a parent that others may write to',
      (folder) => chmodSync(dirname(folder), 0o770),
      /^failed: others may write to \S+ → .*chmod go-w /,
    ],
    [
      'others who may read it',
      (folder) => makeOpen(folder),
      /^failed: others may read or write \S+ → .*chmod 700 /,
    ],
    [
      'a symbolic link',
      (folder) => symlinkSync('/tmp', folder),
      /^failed: \S+ is a symbolic link → name the folder/,
    ],
    [
      'a file',
      (folder) => writeFileSync(folder, ''),
      /^failed: \S+ is no store of ours \(it is no folder\) → choose/,
    ],
    [
      'files of another program, whatever their names',
      (folder) => {
        mkdirSync(folder, { mode: 0o700 })
        writeFileSync(join(folder, 'a; b\n'), '')
      },
      /^failed: \S+ is no store of ours \(it holds "a; b.*"\) → choose a folder that is new or empty$/,
    ],
    [
      'a part that belongs to somebody else',
      (folder) => {
        mkdirSync(join(folder, 'sessions'), { recursive: true, mode: 0o700 })
        chownSync(join(folder, 'sessions'), 12_345, 12_345)
      },
      /^failed: \S+\/sessions belongs to somebody else → give it to the user that runs the gate: chown -R$/,
    ],
  ]
  for (const [what, make, finding] of wrong) {
    test(what, async (t) => {
      const folder = what.includes('not there') ? join(place(t), 'deep', 'state') : place(t)
      make(folder)
      const [first, ...others] = await check(folder)
      assert.match(first ?? '', finding)
      assert.deepEqual(others, [])
    })
  }

  test("nothing where another user's gate owns folder and parent, as root sees it", async (t) => {
    const folder = place(t)
    mkdirSync(folder, { mode: 0o700 })
    for (const one of [folder, dirname(folder)]) chownSync(one, 12_345, 12_345)
    assert.match((await check(folder))[0] ?? '', /^ok: /)
    chownSync(folder, 0, 0)
    assert.match((await check(folder))[0] ?? '', /^failed: \S+ belongs to somebody else/)
  })

  test('a store that was put aside, and how to be rid of it', async (t) => {
    const folder = place(t)
    mkdirSync(join(folder, 'damaged'), { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    const [only, ...others] = await check(folder)
    assert.match(
      only ?? '',
      /^warning: \S+\/damaged is a damaged store that was put aside at \d{4}-\S+Z → look why/,
    )
    assert.deepEqual(others, [])
  })

  test('that STATE_MAX is more than its disk has', async (t) => {
    const folder = place(t)
    const { free } = await lookAtStore(folder)
    const [only] = await check(folder, { max: Math.ceil(free / 1_048_576) + 10_000 })
    assert.match(
      only ?? '',
      /^warning: STATE_MAX=\d+m, but \S+ has room for \d+m → make room there, or write a smaller STATE_MAX$/,
    )
  })
})
