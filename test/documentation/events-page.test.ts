import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sessionEnds } from '../../src/session/session.ts'
import { MAX_BATCH, MAX_WAITING } from '../../src/webhook/delivery.ts'
import type { EventBatch, SessionEnded, SessionStarted } from '../../src/webhook/session-event.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend, status } from '../support/backend.ts'
import { is, readPage, rowsBelow } from '../support/documentation/pages.ts'
import { startGate } from '../support/gate.ts'
import { startPhp } from '../support/php.ts'
import { startReceiver } from '../support/receiver.ts'
import { newViewer } from '../support/site.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const page = readPage('docs/events.md')
const PATIENCE = 30_000

const word = (cell = ''): string => /`([^`]+)`/.exec(cell)?.[1] ?? ''

/** What differs each time, and nothing else. */
function comparable({ session, start, ...rest }: SessionStarted | SessionEnded): object {
  assert.match(session, /^[\w-]{22}$/)
  if (rest.event === 'start') return rest
  const { end, lastRequest, requests, ...known } = rest
  const times = [start, lastRequest, end]
  for (const time of times) assert.equal(new Date(time).toISOString(), time)
  assert.deepEqual(times, times.toSorted())
  assert.ok(requests > 0)
  return known
}

describe('docs/events.md', () => {
  const example = JSON.parse(
    page.blocks.find((block) => is(block, 'json', 'events'))?.text ?? '',
  ) as EventBatch

  test('shows what is posted, and names every field and no other', async (t) => {
    const backend = await startBackend(t)
    const receiver = await startReceiver(t)
    const gate = await startGate(t, {
      BACKEND_URL: backend.url,
      EVENTS_URL: `http://127.0.0.1:${receiver.port}/`,
      CHANNEL_PATTERN: '^/live/([^/]+)/',
      SESSION_IDLE: '1s',
    })
    const shown = example.events.filter((event) => event.event !== 'gate-started')
    assert.deepEqual(
      shown.map(({ event }) => event),
      ['start', 'end'],
    )
    for (const { user, address, origin, path, userAgent } of shown) {
      backend.answer = status(200, { 'X-UserId': user })
      const { reason } = await askGate(gate.port, { uri: `${path}?token=1`, address, origin, userAgent })
      assert.equal(reason, 'backend-200')
    }
    for (const one of shown) {
      const find = (): SessionStarted | SessionEnded | undefined =>
        one.event === 'start' ? receiver.start(one.userAgent) : receiver.end(one.userAgent)
      await until(`the ${one.event}`, () => find() !== undefined, PATIENCE)
      const posted = find()
      assert.ok(posted !== undefined)
      if (one.event === 'interim') continue
      assert.deepEqual(comparable(posted), comparable(one))
      assert.deepEqual(Object.keys(posted), Object.keys(one))
    }

    const fields = { post: new Set<string>(), start: new Set<string>(), end: new Set<string>() }
    const started = new Set<string>()
    for (const { batch } of receiver.posts) {
      for (const name of Object.keys(batch)) fields.post.add(name)
      for (const event of batch.events) {
        if (event.event === 'interim') continue
        const names = event.event === 'gate-started' ? started : fields[event.event]
        for (const name of Object.keys(event)) names.add(name)
      }
    }
    assert.deepEqual(Object.keys(example), [...fields.post])
    const rows = rowsBelow(page.prose, 'What is posted').map(([name, where = '']) => ({
      name: word(name),
      where,
    }))
    const named = (...places: string[]): string[] =>
      rows.filter(({ where }) => places.includes(where)).map(({ name }) => name)
    assert.deepEqual(named('post'), [...fields.post])
    assert.deepEqual(named('all', 'start, end').sort(), [...fields.start].sort())
    assert.deepEqual(named('all', 'start, end', 'end').sort(), [...fields.end].sort())
    assert.deepEqual(named('all', 'gate-started').sort(), [...started].sort())
    assert.equal(named('post', 'all', 'start, end', 'end', 'gate-started').length, rows.length)
  })

  test('names the bounds', () => {
    const text = page.prose.replaceAll('\n', ' ')
    assert.ok(text.includes(`At most ${MAX_WAITING.toLocaleString('en')} events wait`))
    assert.ok(text.includes(`at most ${MAX_BATCH}, in the order`))
    assert.ok(text.includes(`as soon as ${MAX_BATCH} events wait`))
  })

  test('names every reason, and no other; of a session that goes on at another gate no end is posted', () => {
    const named = rowsBelow(page.prose, 'Why a session ended').map(([reason]) => word(reason))
    assert.deepEqual(
      named,
      sessionEnds.filter((why) => why !== 'moved').toSorted((a, b) => named.indexOf(a) - named.indexOf(b)),
    )
  })

  test('its receiver in PHP keeps one line for each session that ended, though batches come twice', async (t) => {
    const folder = makeTemporaryFolder(t)
    const script = page.blocks.find((block) => is(block, 'php'))
    assert.ok(script !== undefined)
    const lines = script.text.split('\n').filter((line) => !/^(?:<\?php|\})?$/.test(line.trim()))
    assert.ok(lines.length <= 10, 'ten lines, as the page says')
    writeFileSync(join(folder, 'events.php'), script.text)
    const php = await startPhp(t, join(folder, 'events.php'))
    const backend = await startBackend(t)
    const gate = await startGate(t, {
      BACKEND_URL: backend.url,
      EVENTS_URL: `${php.url}/events`,
      SESSION_IDLE: '1s',
    })
    const userAgent = newViewer()
    const { sessionId } = await askGate(gate.port, { userAgent })
    const watched = join(folder, 'watched.csv')
    const read = (): string[] =>
      existsSync(watched)
        ? readFileSync(watched, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
        : []
    await until('the line', () => read().length === 1, PATIENCE)
    assert.match(read()[0] ?? '', new RegExp(`^${sessionId},1,,/live/index\\.m3u8,[^,]{24},[^,]{24}$`))

    const again = {
      events: [
        { event: 'end', session: sessionId, part: 1, user: '', channel: 'x', start: '', lastRequest: '' },
      ],
    }
    const post = (body: string) => fetch(`${php.url}/events`, { method: 'POST', body })
    assert.equal((await post(JSON.stringify(again))).status, 200)
    assert.deepEqual(read(), [`${sessionId},1,,x,,`], 'the latest counts')
    assert.equal((await post('nonsense')).status, 400)
    assert.doesNotMatch(php.child.output(), /Warning|Deprecated|Fatal/)
  })
})
