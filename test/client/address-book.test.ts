import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { describe } from 'node:test'
import { type AddressBook, createAddressBook, type Resolve } from '../../src/client/address-book.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { startGate } from '../support/gate.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { createResolver, pretendDns, type Resolver, v4, v6 } from '../support/pretend-dns.ts'

/** A book with pretend timers. */
function openBook(t: Attempt, first: Resolver['says']): { book: AddressBook; resolver: Resolver } {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const resolver = createResolver(first)
  const book = createAddressBook('backend.example', resolver.resolve)
  t.after(() => book.stop())
  return { book, resolver }
}

/**
 * What the book says at once: the addresses, or the code of the error. Undefined when the caller has to wait.
 */
function look(book: AddressBook): readonly string[] | string | undefined {
  let said: readonly string[] | string | undefined
  book.lookup('backend.example', { all: true }, (error, found) => {
    said = error === null ? (found as LookupAddress[]).map(({ address }) => address) : (error.code ?? '')
  })
  return said
}

describe('the addresses of a backend', () => {
  patientTest('are looked up in the background, never for a question', (t) => {
    const { book, resolver } = openBook(t, [v4('192.0.2.1')])
    for (let n = 0; n < 1_000; n++) assert.deepEqual(look(book), ['192.0.2.1'])
    assert.equal(resolver.count(), 1)
    t.mock.timers.tick(10_000)
    assert.equal(resolver.count(), 2)
  })

  patientTest('are kept while look-ups fail, for an hour, and asked for more often meanwhile', (t) => {
    const { book, resolver } = openBook(t, [v4('192.0.2.1')])
    resolver.says = 'broken'
    for (let passed = 0; passed < 3_600; passed += 2) {
      t.mock.timers.tick(2_000)
      assert.deepEqual(look(book), ['192.0.2.1'])
    }
    assert.ok(resolver.count() > 1_700, `${resolver.count()} look-ups`)
    resolver.says = [v4('192.0.2.2')]
    t.mock.timers.tick(2_000)
    assert.deepEqual(look(book), ['192.0.2.2'])
  })

  patientTest('are kept when a look-up finds none', (t) => {
    const { book, resolver } = openBook(t, [v4('192.0.2.1')])
    resolver.says = []
    t.mock.timers.tick(60_000)
    assert.deepEqual(look(book), ['192.0.2.1'])
  })

  patientTest('are there at once while the resolver is a black hole, once it has answered', (t) => {
    const { book, resolver } = openBook(t, [v4('192.0.2.1')])
    resolver.says = 'silent'
    t.mock.timers.tick(3_600_000)
    assert.equal(resolver.count(), 2, 'no second look-up piles up behind one that hangs')
    assert.deepEqual(look(book), ['192.0.2.1'])
  })

  patientTest('are waited for only while the very first look-up is on its way', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let finish: Parameters<Resolve>[1] = () => {}
    const book = createAddressBook('backend.example', (_host, done) => {
      finish = done
    })
    t.after(() => book.stop())
    const said: unknown[] = []
    book.lookup('backend.example', { all: true }, (_error, found) => said.push(found))
    assert.deepEqual(said, [])
    finish(null, [v4('192.0.2.1')])
    assert.deepEqual(said, [[v4('192.0.2.1')]])
  })

  patientTest('that were never found are an error at once, and found when there are some', (t) => {
    const { book, resolver } = openBook(t, 'broken')
    assert.equal(look(book), 'EAI_AGAIN')
    resolver.says = [v4('192.0.2.1')]
    t.mock.timers.tick(2_000)
    assert.deepEqual(look(book), ['192.0.2.1'])
  })

  patientTest('start with the one that was connected to last, as long as it is among them', (t) => {
    const { book, resolver } = openBook(t, [v6('100::1'), v4('192.0.2.1'), v4('192.0.2.2')])
    book.prefer('192.0.2.2')
    assert.deepEqual(look(book), ['192.0.2.2', '100::1', '192.0.2.1'])
    t.mock.timers.tick(10_000)
    assert.deepEqual(look(book), ['192.0.2.2', '100::1', '192.0.2.1'])
    resolver.says = [v6('100::1'), v4('192.0.2.1')]
    t.mock.timers.tick(10_000)
    assert.deepEqual(look(book), ['100::1', '192.0.2.1'])
  })

  patientTest('are looked up no more after the end', (t) => {
    const { book, resolver } = openBook(t, [v4('192.0.2.1')])
    book.stop()
    t.mock.timers.tick(3_600_000)
    assert.equal(resolver.count(), 1)
  })
})

patientTest('a dead AAAA next to a live A costs at most 300 ms, once', async (t) => {
  // Discard-only (RFC 6666): a SYN to it gets no answer, or finds no route at once, which costs no time
  // either.
  pretendDns(t, [v6('100::1'), v4('127.0.0.1')])
  const backend = await startBackend(t)
  backend.answer = (_asked, response) => void response.writeHead(200, { Connection: 'close' }).end()
  const gate = await startGate(t, {
    BACKEND_URL: `http://backend.example:${backend.port}/auth`,
    BACKEND_TIMEOUT: '2s',
  })
  const took: number[] = []
  for (let n = 0; n < 10; n++) {
    const answer = await askGate(gate.port, { userAgent: `viewer ${n}` })
    assert.equal(answer.reason, 'backend-200')
    took.push(Math.round(answer.took))
  }
  t.diagnostic(`milliseconds: ${took.join(' ')}`)
  const [first = 0, ...later] = took
  assert.ok(first < 300 + 100, `the first took ${first} ms`)
  for (const milliseconds of later) assert.ok(milliseconds < 200, `a later one took ${milliseconds} ms`)
})

/** A backend at this address of this machine; `name` is what it sends as X-UserId. */
async function startAt(t: Attempt, address: string, port: number, name: string): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(200, { 'X-UserId': name }).end())
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

patientTest('a changed address is used within 30 s, with connections kept busy all the while', async (t) => {
  const resolver = pretendDns(t, [v4('127.89.0.1')])
  const port = await startAt(t, '127.89.0.1', 0, 'old')
  await startAt(t, '127.89.0.2', port, 'new')
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() })
  const gate = await startGate(t, { BACKEND_URL: `http://backend.example:${port}/auth` })
  let viewer = 0
  const whoAnswers = async (): Promise<string> => {
    const answer = await askPlainly(gate.port, viewer++)
    return /^X-User-Id: (.*)$/im.exec(answer)?.[1]?.trim() ?? answer
  }
  assert.equal(await whoAnswers(), 'old')
  resolver.says = [v4('127.89.0.2')]
  let changedAfter = 0
  for (let passed = 1_000; passed <= 30_000 && changedAfter === 0; passed += 1_000) {
    t.mock.timers.tick(1_000)
    if ((await whoAnswers()) === 'new') changedAfter = passed
  }
  t.diagnostic(`changed after ${changedAfter} ms`)
  assert.ok(changedAfter > 0)
})

/** One question on a connection of its own, without any timer. */
function askPlainly(port: number, viewer: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
    })
    socket.on('error', reject)
    socket.on('end', () => resolve(text))
    const headers = ['Host: gate', 'Connection: close', `X-Original-Ip: 192.0.2.${viewer}`]
    headers.push('X-Original-Origin: http://live.example.com', 'X-Original-Path: /a.m3u8|')
    headers.push('X-Original-Uri: /a.m3u8?token=1', 'X-Original-Ua: test')
    socket.write(`GET /auth HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
  })
}
