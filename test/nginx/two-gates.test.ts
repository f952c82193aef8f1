import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Backend, startBackend } from '../support/backend.ts'
import { channelFiles } from '../support/channel-files.ts'
import { request } from '../support/client.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { suiteScope } from '../support/scope.ts'
import { questionsDuring } from '../support/site.ts'
import { hasToken } from '../support/token-backend.ts'

/** A client, by what nginx's upstream tells clients apart. */
interface Client {
  readonly address: string
  readonly userAgent: string
  readonly playbackId: string
}

const VIEWERS = 80
const SEGMENTS = 5
/** The least share of all viewers for each of two gates. */
const FAIR = 0.25

const client = (n: number): Client => ({
  address: `10.0.${n >> 8}.${n & 255}`,
  userAgent: `player ${n % 7}`,
  playbackId: n % 3 === 0 ? `id-${n}` : '',
})
const nameOf = (address: unknown, userAgent: unknown, playbackId: unknown): string =>
  [address, userAgent, playbackId ?? ''].join(' ')

describe('two gates behind one nginx', () => {
  const scope = suiteScope()
  let backend: Backend
  let nginx: Nginx
  let gates: readonly [Gate, Gate]
  /** Which gates have seen which viewer. */
  const seenBy: readonly [Set<string>, Set<string>] = [new Set(), new Set()]
  const clients = Array.from({ length: VIEWERS }, (_, n) => client(n))
  const ownersOf = (one: Client): number[] => {
    const name = nameOf(one.address, one.userAgent, one.playbackId)
    return [0, 1].filter((at) => seenBy[at]?.has(name))
  }

  before(async () => {
    backend = await startBackend(scope)
    backend.answer = hasToken('good')
    gates = [
      await startGate(scope, { BACKEND_URL: backend.url }),
      await startGate(scope, { BACKEND_URL: backend.url }),
    ]
    for (const [at, gate] of gates.entries()) {
      gate.service.gateServer.on('request', ({ headers }) => {
        const { 'x-original-ip': ip, 'x-original-ua': ua, 'x-original-playback-id': id } = headers
        seenBy[at]?.add(nameOf(ip, ua, id))
      })
    }
    nginx = await startNginx(scope, {
      gates: gates.map((gate) => gate.address),
      files: channelFiles(['one', 'two'], SEGMENTS),
      http: 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;',
    })
  })
  const get = async ({ address, userAgent, playbackId }: Client, target: string): Promise<number> => {
    const headers = [`X-Forwarded-For: ${address}`, `User-Agent: ${userAgent}`]
    if (playbackId !== '') headers.push(`X-Playback-Session-Id: ${playbackId}`)
    return (await request({ port: nginx.port, target, headers })).status
  }
  /** Opens a channel, loads its segments and the playlist again. */
  const play = async (one: Client, channel = 'one'): Promise<void> => {
    const opener = `/live/${channel}/index.m3u8?token=good`
    assert.equal(await get(one, opener), 200)
    for (let segment = 0; segment < SEGMENTS; segment++) {
      assert.equal(await get(one, `/live/${channel}/${segment}.ts`), 200)
    }
    assert.equal(await get(one, opener), 200)
  }

  test(`${VIEWERS} viewers play: one question about each, from the one gate that owns the viewer`, async (t) => {
    const asked = await questionsDuring(backend, () => Promise.all(clients.map((one) => play(one))))
    assert.equal(asked.length, VIEWERS)
    const owners = clients.map(ownersOf)
    assert.ok(owners.every((list) => list.length === 1))
    const first = owners.filter(([at]) => at === 0).length
    t.diagnostic(`${first} of ${VIEWERS} viewers at the first gate`)
    assert.ok(first >= VIEWERS * FAIR && first <= VIEWERS * (1 - FAIR), `${first} at the first gate`)
  })

  test('another channel of a viewer goes to the same gate', async () => {
    await Promise.all(clients.map((one) => play(one, 'two')))
    assert.ok(clients.every((one) => ownersOf(one).length === 1))
  })

  const one: Client = { address: '192.0.2.1', userAgent: 'one player', playbackId: 'one' }
  for (const [what, other] of [
    ['address', (n: number): Client => ({ ...one, address: `192.0.2.${n + 10}` })],
    ['User-Agent', (n: number): Client => ({ ...one, userAgent: `player/${n}` })],
    ['playback id', (n: number): Client => ({ ...one, playbackId: `playback ${n}` })],
  ] as const) {
    test(`viewers who differ in their ${what} alone are spread over both`, async () => {
      const many = Array.from({ length: 40 }, (_, n) => other(n))
      await Promise.all(many.map((each) => get(each, '/live/one/index.m3u8?token=good')))
      const owners = many.map(ownersOf)
      assert.ok(owners.every((list) => list.length === 1))
      assert.equal(new Set(owners.map(([at]) => at)).size, 2)
    })
  }

  test('one gate ends: its viewers play on with the other one, asked about once more, and nobody else', async () => {
    const moved = clients.filter((each) => ownersOf(each)[0] === 0)
    await gates[0].service.stop()
    const asked = await questionsDuring(backend, () => Promise.all(clients.map((each) => play(each))))
    assert.deepEqual(
      asked.map(({ headers }) => headers['X-Real-Ip']).sort(),
      moved.map(({ address }) => address).sort(),
    )
    assert.ok(clients.every((each) => ownersOf(each).includes(1)))
  })
})
