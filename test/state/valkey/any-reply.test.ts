import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '../../../src/state/store-engine.ts'
import { until } from '../../support/until.ts'
import { settingsFor } from '../../support/valkey.ts'
import { makeEngine } from './engine-place.ts'
import { drawReplies } from './odd-replies.ts'
import { startOddValkey } from './odd-valkey.ts'

describe('whatever Valkey answers to any command is a result or a StoreError, in time', () => {
  const kinds = [
    ['one server', { kind: 'single' }, 300],
    ['a cluster', { kind: 'cluster' }, 150],
    ['Sentinels', { kind: 'sentinel', name: 'main' }, 50],
  ] as const
  for (const [name, mode, count] of kinds)
    test(`${name}, ${count} draws`, async (t) => {
      await drawReplies(t, { count, atOnce: 25, mode, seed: count })
    })
})

/** What iovalkey asks for itself. */
describe('whoever is asked for the servers may answer nonsense first', { concurrency: 30 }, () => {
  const port = (text: string): string => `*2\r\n$1\r\nx\r\n$${text.length}\r\n${text}\r\n`
  const range = (first: string, last: string, server: string): string =>
    `*1\r\n*3\r\n${first}${last}${server}`
  const replies = [
    ...[':1\r\n', '$-1\r\n', '*-1\r\n', '*0\r\n', '+OK\r\n', '-ERR odd\r\n', '*1\r\n$-1\r\n', '', 'garbage'],
    ...['*1\r\n*0\r\n', '*99999999999\r\n', port('0'), port('99999999'), port('x'), '*2\r\n*0\r\n*0\r\n'],
    range(':0\r\n', ':999999999999\r\n', '*2\r\n$1\r\nx\r\n:1\r\n'),
    range(':0\r\n', ':16383\r\n', '$-1\r\n'),
    range(':0\r\n', ':16383\r\n', '*2\r\n$9\r\n127.0.0.1\r\n:99999999\r\n'),
    range('$1\r\na\r\n', '$-1\r\n', '*2\r\n$-1\r\n:1\r\n'),
  ]
  for (const mode of [{ kind: 'cluster' }, { kind: 'sentinel', name: 'main' }] as const)
    for (const reply of replies)
      test(`${mode.kind} ${JSON.stringify(reply)}`, async (t) => {
        const server = await startOddValkey(t)
        const isFirst = ({ name }: { name: string }): boolean => ['cluster', 'sentinel'].includes(name)
        server.answer((command) => (isFirst(command) ? reply : undefined))
        const settings = { ...settingsFor([]), nodes: [server.address], mode }
        const engine = makeEngine(settings, { open: 500 })
        t.after(() => engine.close())
        await assert.rejects(engine.open(), StoreError)
        server.answer(() => undefined)
        const isOpen = (): Promise<boolean> =>
          engine.open().then(
            () => true,
            () => false,
          )
        await until('it can be used', isOpen, 20_000)
      })
})
