import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readEvents } from '../../live-page/event-reader.js'
import type { SessionPage, SessionView } from '../../live-page/messages.js'
import { createSessionList } from '../../live-page/session-list.js'

/** Number n, opened n milliseconds after midnight. */
function session(number: number, more: Partial<SessionView> = {}): SessionView {
  const start = new Date(Date.UTC(2026, 10, 24) + number).toISOString()
  const texts = {
    user: `user-${number}`,
    channel: 'news',
    address: '192.0.2.1',
    origin: '',
    path: '',
    userAgent: '',
  }
  const others = { playbackId: '', provisional: false, lastRequest: start, recheck: null, unavailable: null }
  const standing = { part: 1, came: 'opened', plays: null, limit: null } as const
  return { session: `id-${number}`, start, requests: number, ...texts, ...others, ...standing, ...more }
}

function page(numbers: readonly number[], next: string | null): SessionPage {
  return { sessions: numbers.map((number) => session(number)), next, total: numbers.length }
}

describe('the list of sessions of the live page', () => {
  const ids = (list: ReturnType<typeof createSessionList>): string =>
    list
      .shown()
      .map((one) => one.session.slice(3))
      .join(' ')

  test('what happens while pages are fetched is known better than the pages', async () => {
    const list = createSessionList(() => {})
    list.put([session(9)])
    await list.load(async (after) => {
      if (after === '') return page([5, 4], 'more')
      list.drop(['id-5', 'id-1'])
      list.put([session(6), session(3, { user: 'renamed' })])
      return page([3, 2, 1], null)
    })
    assert.equal(ids(list), '6 4 3 2')
    assert.equal(list.find('id-3')?.user, 'renamed')
  })

  test('what was known stays until all is fetched, and when that fails', async () => {
    const list = createSessionList(() => {})
    await list.load(async () => page([2, 1], null))
    await assert.rejects(
      list.load(async () => {
        assert.equal(ids(list), '2 1')
        throw new Error('gone')
      }),
    )
    assert.equal(ids(list), '2 1')
  })

  test('of a million sessions it lists the newest, and says that there are more', async () => {
    let pages = 0
    const list = createSessionList(() => {})
    await list.load(async () => {
      pages++
      const sessions = Array.from({ length: 1_000 }, (_, at) => session(at, { session: `id-${pages}-${at}` }))
      return { sessions, next: 'more', total: 1_000_000 }
    })
    assert.deepEqual([list.size(), pages, list.isCut()], [20_000, 20, true])
  })

  test('however many open while it looks, it keeps the newest', () => {
    const list = createSessionList(() => {})
    for (let from = 0; from < 50_000; from += 500)
      list.put(Array.from({ length: 500 }, (_, at) => session(from + at)))
    assert.ok(list.size() >= 20_000 && list.size() <= 21_500, `${list.size()}`)
    assert.equal(list.isCut(), true)
    assert.ok(list.find('id-49999') !== undefined && list.find('id-0') === undefined)
  })

  test('it is sorted by any column, the newest first among equals', () => {
    const list = createSessionList(() => {})
    list.put([
      session(1, { requests: 7 }),
      session(2, { requests: 7, user: 'Anna' }),
      session(3, { user: 'bruno' }),
    ])
    assert.equal(ids(list), '3 2 1')
    list.sortBy('since')
    assert.equal(ids(list), '1 2 3')
    list.sortBy('requests')
    assert.equal(ids(list), '2 1 3')
    list.sortBy('user')
    assert.equal(ids(list), '2 3 1')
    list.filter(' ANN ')
    assert.equal(ids(list), '2')
  })
})

describe('the event reader of the live page', () => {
  test('it reads events however their bytes are cut', async () => {
    const text =
      ':\n\nevent: state\ndata: {"a":"é\u202e"}\n\nevent: none\n\ndata: 1\n\n:x\nevent: opened\ndata:[1,\ndata: 2]\n\ndata: 9\n'
    const bytes = new TextEncoder().encode(text)
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
          controller.close()
        },
      })
      const read = []
      let heard = 0
      for await (const event of readEvents(body, () => heard++)) read.push(event)
      assert.deepEqual(read, [
        { name: 'state', data: { a: 'é\u202e' } },
        { name: 'message', data: 1 },
        { name: 'opened', data: [1, 2] },
      ])
      assert.equal(heard, Math.ceil(bytes.length / size))
    }
  })
})
