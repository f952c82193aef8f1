import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { request } from '../support/client.ts'
import { BAD, GOOD } from '../support/hostile-request.ts'
import { allowsOnlyGood, questionsByAddress } from '../support/hostile-site.ts'
import { questionOf } from '../support/question-of.ts'
import { forSuite } from '../support/scope.ts'
import { newViewer, startSite } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

/** The address that the backend gets, and every spelling of it. */
const accepted = [
  '192.0.2.1: 192.0.2.1 ::ffff:192.0.2.1 ::FFFF:192.0.2.1 ::ffff:c000:201 0:0:0:0:0:ffff:c000:0201',
  '0.0.0.0: 0.0.0.0',
  '255.255.255.255: 255.255.255.255',
  '2001:db8::1: 2001:db8::1 2001:DB8::1 2001:0db8:0000:0000:0000:0000:0000:0001 2001:db8:0:0:0:0:0:1',
  '2001:db8::1: 2001:db8:0::1 2001:db8::0.0.0.1',
  '2001:db8:0:1::1: 2001:db8:0:1:0:0:0:1 2001:db8:0:1::1 2001:0DB8::1:0:0:0:1',
  '1:2:3:4:5:6:7:8: 1:2:3:4:5:6:7:8 0001:0002:0003:0004:0005:0006:0007:0008',
  '::1: ::1 0:0:0:0:0:0:0:1 ::0001',
  '::: :: 0::0',
  'fe80::1: fe80::1 FE80:0::1',
  '64:ff9b::c000:201: 64:ff9b::192.0.2.1 64:FF9B::C000:0201',
].map((line) => {
  const [name = '', ...spellings] = line.split(' ')
  return [name.slice(0, -1), ...spellings]
}) as readonly (readonly [address: string, ...spellings: string[]])[]

const refused = [
  ...wordsOf(`
    unix: localhost $remote_addr 0300.0.02.01 192.0.2.01 0xc0.0x0.0x2.0x1 3221225985 192.0.513 192.0.2.1.1
    192.0.2.256 192.0.2.-1 192..2.1 192.0.2.1. 192.0.2.1:8080 192.0.2.0/24 192.0.2.1%00 "192.0.2.1"
    \xd9\xa1\xd9\xa9\xd9\xa2.0.2.1 [2001:db8::1] [2001:db8::1]:80 fe80::1%eth0 [fe80::1%25eth0]
    1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7 2001::db8::1 :::1 2001:db8::00001 2001:db8::g ::ffff:192.0.2.256
    ::ffff:192.0.2.01 2001:db8::/32`),
  '',
  '192.0.2.1, 192.0.2.2',
  '192.0. 2.1',
  '1'.repeat(1_024),
  ':'.repeat(65_536),
]

describe("the client's address", () => {
  test('is one viewer, however it is spelt', () => {
    for (const [address, ...spellings] of accepted)
      for (const spelling of [...spellings, ` \t${address} `])
        assert.equal(questionOf({ address: spelling })?.headers['X-Real-Ip'], address, spelling)
  })

  test('is refused where it is none', () => {
    for (const address of refused) assert.equal(questionOf({ address }), undefined, address)
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
    '192.0.2.01': '192.0.2.1',
    '::ffff:192.0.2.01': '192.0.2.1',
    '192..2.1': '192.0.2.1',
    '192.0.2.1:8080': '192.0.2.1',
    '192.0.2.1, 192.0.2.2': '192.0.2.2',
    '[2001:db8::1]:80': '2001:db8::1',
  }
  test('what is no address is never taken for one: the balancer itself counts', async () => {
    for (const text of refused) {
      if (text.length < 8_192) await assertJudgedAs(readable[text] ?? '127.0.0.1', text)
      else assert.equal(await get(text, GOOD), 400)
    }
  })
})
