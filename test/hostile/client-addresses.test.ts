import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { request } from '../support/client.ts'
import { allowsOnlyGood, BAD, GOOD, questionsByAddress, startHostileSite } from '../support/hostile-site.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, questionsDuring, startSite } from '../support/site.ts'

/** Every spelling of one address, and the one that the backend gets. */
const accepted: [address: string, ...spellings: string[]][] = [
  [
    '192.0.2.1',
    '192.0.2.1',
    '::ffff:192.0.2.1',
    '::FFFF:192.0.2.1',
    '::ffff:c000:201',
    '0:0:0:0:0:ffff:c000:0201',
  ],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  [
    '2001:db8::1',
    '2001:db8::1',
    '2001:DB8::1',
    '2001:0db8:0000:0000:0000:0000:0000:0001',
    '2001:db8:0:0:0:0:0:1',
    '2001:db8:0::1',
    '2001:db8::0.0.0.1',
  ],
  ['2001:db8:0:1::1', '2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1', '2001:0DB8::1:0:0:0:1'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', '0001:0002:0003:0004:0005:0006:0007:0008'],
  ['::1', '::1', '0:0:0:0:0:0:0:1', '::0001'],
  ['::', '::', '0::0'],
  ['fe80::1', 'fe80::1', 'FE80:0::1'],
  ['64:ff9b::c000:201', '64:ff9b::192.0.2.1', '64:FF9B::C000:0201'],
]

const refused: [what: string, address: string][] = [
  ['nothing', ''],
  ['a Unix socket, as nginx writes it', 'unix:'],
  ['a name', 'localhost'],
  ['a word of nginx', '$remote_addr'],
  ['octal', '0300.0.02.01'],
  ['a leading zero', '192.0.2.01'],
  ['hexadecimal', '0xc0.0x0.0x2.0x1'],
  ['one number', '3221225985'],
  ['three numbers', '192.0.513'],
  ['five numbers', '192.0.2.1.1'],
  ['a number past 255', '192.0.2.256'],
  ['a negative number', '192.0.2.-1'],
  ['an empty number', '192..2.1'],
  ['a dot at the end', '192.0.2.1.'],
  ['a port', '192.0.2.1:8080'],
  ['a prefix', '192.0.2.0/24'],
  ['two addresses', '192.0.2.1, 192.0.2.2'],
  ['a space within', '192.0. 2.1'],
  ['digits of another script', '\xd9\xa1\xd9\xa9\xd9\xa2.0.2.1'],
  ['an escape', '192.0.2.1%00'],
  ['a quote', '"192.0.2.1"'],
  ['brackets', '[2001:db8::1]'],
  ['brackets and a port', '[2001:db8::1]:80'],
  ['a zone', 'fe80::1%eth0'],
  ['a zone in brackets', '[fe80::1%25eth0]'],
  ['nine groups', '1:2:3:4:5:6:7:8:9'],
  ['seven groups', '1:2:3:4:5:6:7'],
  ['two gaps', '2001::db8::1'],
  ['three colons', ':::1'],
  ['a group of five digits', '2001:db8::00001'],
  ['a letter past f', '2001:db8::g'],
  ['a mapped number past 255', '::ffff:192.0.2.256'],
  ['a mapped leading zero', '::ffff:192.0.2.01'],
  ['IPv6 with a prefix', '2001:db8::/32'],
  ['1 KB of digits', '1'.repeat(1_024)],
  ['64 KB of colons', ':'.repeat(65_536)],
]

describe("the client's address, directly, DEFAULT_ACTION=allow:", () => {
  const site = forSuite((scope) => startHostileSite(scope))
  const ask = (address: string, token: string, userAgent = newViewer()) =>
    askGate(site.gate.port, { address, userAgent, uri: `/live/x.ts?${token}` })

  test('there are 40 forms at least', (t) => {
    const count = accepted.reduce((sum, [, ...spellings]) => sum + spellings.length, refused.length)
    t.diagnostic(`${count} forms of address`)
    assert.ok(count >= 40)
  })

  for (const [address, ...spellings] of accepted) {
    for (const spelling of spellings) {
      test(`${spelling} reaches the backend as ${address}`, async () => {
        site.backend.asked.length = 0
        const refusal = await ask(spelling, BAD)
        assert.deepEqual([refusal.status, refusal.source, refusal.reason], [403, 'backend', 'backend-403'])
        assert.equal((await ask(spelling, GOOD)).status, 200)
        assert.deepEqual(Array.from(questionsByAddress(site).keys()), [address])
      })
    }

    test(`${address} is one viewer, however it is spelt`, async () => {
      const viewer = newViewer()
      const asked = await questionsDuring(site.backend, async () => {
        for (const spelling of spellings) assert.equal((await ask(spelling, GOOD, viewer)).status, 200)
      })
      assert.equal(asked.length, 1)
    })
  }

  test('spaces around it are not part of it', async () => {
    site.backend.asked.length = 0
    assert.equal((await ask(' \t192.0.2.7 ', GOOD)).status, 200)
    assert.deepEqual(Array.from(questionsByAddress(site).keys()), ['192.0.2.7'])
  })

  for (const [what, address] of refused) {
    test(`${what} is refused as bad-request and nobody is asked`, async () => {
      const asked = await questionsDuring(site.backend, async () => {
        const { status, verdict, source, reason } = await ask(address, GOOD)
        assert.deepEqual(
          { status, verdict, source, reason },
          { status: 403, verdict: 'deny', source: 'gate', reason: 'bad-request' },
        )
      })
      assert.deepEqual(asked, [])
    })
  }

  test('not one of them was an error of ours', () => {
    assert.doesNotMatch(site.gate.logText(), /"source":"default"|internal error|unavailable/)
  })
})

describe("the client's address as a load balancer names it to nginx, DEFAULT_ACTION=allow and on-failure-allow:", () => {
  const site = forSuite(async (scope) => {
    const site = await startSite(scope, {
      environment: { DEFAULT_ACTION: 'allow' },
      nginx: { onFailure: 'allow', http: 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;' },
    })
    site.backend.answer = allowsOnlyGood
    return site
  })
  const get = (address: string, token: string): Promise<number> =>
    request({
      port: site.nginx.port,
      target: `/index.m3u8?${token}`,
      headers: [`X-Forwarded-For: ${address}`, `User-Agent: ${newViewer()}`],
    }).then(({ status }) => status)

  /** The backend decides, and gets this address. */
  const assertJudgedAs = async (address: string, spelling: string): Promise<void> => {
    site.backend.asked.length = 0
    assert.equal(await get(spelling, BAD), 403, spelling)
    assert.equal(await get(spelling, GOOD), 200, spelling)
    assert.deepEqual(Array.from(questionsByAddress(site).keys()), [address], spelling)
  }

  test('every spelling of an address reaches the backend as that address', async () => {
    for (const [address, ...spellings] of accepted) {
      // nginx reads this one as no address.
      const told = address === '255.255.255.255' ? '127.0.0.1' : address
      for (const spelling of spellings) await assertJudgedAs(told, spelling)
    }
  })

  /** Texts that nginx reads as an address. For all others it uses the address of the connection. */
  const readable: Readonly<Record<string, string>> = {
    'a leading zero': '192.0.2.1',
    'a mapped leading zero': '192.0.2.1',
    'an empty number': '192.0.2.1',
    'a port': '192.0.2.1',
    'two addresses': '192.0.2.2',
    'brackets and a port': '2001:db8::1',
  }
  test('what is no address is never taken for one: the balancer itself counts', async () => {
    for (const [what, text] of refused) {
      if (text.length < 8_192) await assertJudgedAs(readable[what] ?? '127.0.0.1', text)
      else assert.equal(await get(text, GOOD), 400, what)
    }
  })
})
