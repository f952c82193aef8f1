import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeys } from '../../src/state/keys.ts'
import { createVault } from '../../src/state/vault.ts'
import { createMemoryPlace } from '../support/memory-engine.ts'

const [OLD, NEW] = ['older secret of 32 characters....', 'newer secret of 32 characters....']
const keys = createKeys('alta-auth:')

/** What a gate with these secrets does with what a store says of itself. */
async function join(place: ReturnType<typeof createMemoryPlace>, secrets: readonly string[]) {
  const engine = place.create()
  await engine.open()
  const vault = createVault(secrets, 'one', keys)
  const identity = await engine.identify(vault.identity())
  const isOpen = vault.accept(identity)
  const anew = isOpen ? vault.sealedAnew(identity) : undefined
  if (anew !== undefined) await engine.sealAnew(identity, anew)
  return { vault, isOpen, isSealedAnew: anew !== undefined }
}

test('accept, switch, drop: names stay, and each step opens what the one before has sealed', async () => {
  const place = createMemoryPlace(() => 0, true)
  const first = await join(place, [OLD])
  const name = first.vault.user('anna')
  let sealed = first.vault.seal('a text', keys.user(name))
  for (const [secrets, isSealedAnew] of [
    [[OLD, NEW], false],
    [[NEW, OLD], true],
    [[NEW], false],
  ] as const) {
    const gate = await join(place, secrets)
    assert.deepEqual([gate.isOpen, gate.isSealedAnew], [true, isSealedAnew])
    assert.equal(gate.vault.user('anna'), name)
    assert.equal(gate.vault.open(sealed, keys.user(name)), 'a text')
    sealed = gate.vault.seal('a text', keys.user(name))
  }
  const typo = await join(place, [`${NEW}x`])
  assert.equal(typo.isOpen, false)
})

test('what was sealed for one key opens under no other one, nor under another prefix', () => {
  const vault = createVault([OLD], 'one', keys)
  const other = createKeys('test:')
  const mark = vault.seal('7', keys.userMark('anna'))
  assert.equal(vault.open(mark, keys.userMark('anna')), '7')
  for (const place of [keys.userMark('bert'), keys.user('anna'), other.userMark('anna')])
    assert.equal(vault.open(mark, place), undefined)
})
