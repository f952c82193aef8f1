import { test } from 'node:test'
import { drawReplies } from '../../state/valkey/odd-replies.ts'

/** What test/state/valkey/any-reply.test.ts draws some of. */
const kinds = [
  ['one server', { kind: 'single' }, 6_000],
  ['a cluster', { kind: 'cluster' }, 3_000],
  ['Sentinels', { kind: 'sentinel', name: 'main' }, 1_000],
] as const
for (const [name, mode, count] of kinds)
  test(`whatever Valkey answers to any command, ${name}, ${count} draws`, async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
    t.diagnostic(`SEED=${seed}`)
    await drawReplies(t, { count, atOnce: 40, mode, seed })
  })
