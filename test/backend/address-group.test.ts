import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createAddressGroupsOf, createClientOf, readAddress, usualPrefixes } from '../../src/address.ts'

const clientOf = createClientOf(usualPrefixes)
const groupsOf = createAddressGroupsOf(usualPrefixes)

/** The bits of an address as a number, computed in another way than the gate does. */
function bitsOf(address: string): bigint {
  if (!address.includes(':')) return address.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const [left = [], right] = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const zeros = right === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...(right ?? [])]
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

const canonical = (groups: readonly number[]): string =>
  readAddress(groups.map((group) => group.toString(16)).join(':')) ?? assert.fail()

const word = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff))
const tail = fc.array(word, { minLength: 7, maxLength: 7 })
/** An address of 2000::/3 but Teredo, and another one that shares some bits with it. */
const pair = fc
  .tuple(fc.integer({ min: 0x2000, max: 0x3fff }), tail, fc.nat(127), fc.boolean())
  .filter(([first, [second]]) => first !== 0x2001 || second !== 0)
  .map(([first, rest, bit, isOther]) => {
    const one = canonical([first, ...rest])
    if (!isOther) return [one, one] as const
    const flipped = bitsOf(one) ^ (1n << BigInt(bit))
    const groups = Array.from({ length: 8 }, (_, at) => Number((flipped >> BigInt(112 - 16 * at)) & 0xffffn))
    return [one, canonical(groups)] as const
  })
const isNumbered = (address: string): boolean =>
  /^[23][0-9a-f]{3}:/.test(address) && bitsOf(address) >> 96n !== 0x20010000n

describe('whom an address counts as', () => {
  test('an IPv4 address counts alone', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(clientOf(address), address)))
  })

  test('with a prefix two IPv4 addresses are one client exactly when these bits are equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 24, max: 32 }), fc.ipV4(), fc.nat(255), (ipv4, address, last) => {
        const other = `${address.slice(0, address.lastIndexOf('.'))}.${last}`
        const of = createClientOf({ ...usualPrefixes, ipv4 })
        const isSame = bitsOf(address) >> BigInt(32 - ipv4) === bitsOf(other) >> BigInt(32 - ipv4)
        assert.equal(of(address) === of(other), isSame, `${of(address)} ${of(other)}`)
      }),
      { numRuns: 2_000 },
    )
  })

  test('two IPv6 addresses are one client exactly when the bits of the prefix are equal', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(64), fc.integer({ min: 56, max: 128 })),
        pair,
        (ipv6, [one, other]) => {
          fc.pre(isNumbered(other))
          const of = createClientOf({ ...usualPrefixes, ipv6 })
          const isSame = bitsOf(one) >> BigInt(128 - ipv6) === bitsOf(other) >> BigInt(128 - ipv6)
          assert.equal(of(one) === of(other), isSame, `${of(one)} ${of(other)}`)
          assert.equal(of(one) === one, ipv6 === 128)
        },
      ),
      { numRuns: 5_000 },
    )
  })

  const alone: readonly [what: string, one: string, other: string][] = [
    ['IPv4 behind NAT64', '64:ff9b::c000:201', '64:ff9b::c000:202'],
    ['Teredo', '2001:0:c000:201::1', '2001:0:c000:201::2'],
    ['Teredo with a server that begins with zeros', '2001::1', '2001::2'],
    ['a local network', 'fd00:1:2:3::1', 'fd00:1:2:3::2'],
    ['what nobody has assigned', '4000::1', '4000::2'],
    ['this machine', '::1', '::2'],
  ]
  for (const [what, one, other] of alone) {
    test(`counts in full: ${what}`, () => {
      for (const address of [one, other]) assert.equal(readAddress(address), address)
      assert.equal(clientOf(one), one)
      assert.notEqual(clientOf(one), clientOf(other))
    })
  }

  test('a /64 is named as people write it', () => {
    assert.equal(clientOf('2001:db8:0:1:a:b:c:d'), '2001:db8:0:1::/64')
    assert.equal(clientOf('2001:db8:0:1::'), '2001:db8:0:1::/64')
    assert.equal(clientOf('2001:db8::1'), '2001:db8:0:0::/64')
    assert.equal(createClientOf({ ipv4: 24, ipv6: 56 })('2001:db8:0:1ff::1'), '2001:db8:0:100::/56')
    assert.equal(createClientOf({ ipv4: 25, ipv6: 56 })('192.0.2.200'), '192.0.2.128/25')
  })

  test('a company of a /48 is seen as such, a /24 of IPv4 likewise', () => {
    assert.deepEqual(groupsOf('2001:db8:7:1aff::9'), {
      network: '2001:db8:7::/48',
      client: '2001:db8:7:1aff::/64',
    })
    assert.equal(groupsOf('2001:db8:7:1b00::').network, groupsOf('2001:db8:7:1aff::').network)
    assert.notEqual(groupsOf('2001:db8:8::').network, groupsOf('2001:db8:7::').network)
    assert.deepEqual(groupsOf('192.0.2.1'), {
      network: '192.0.2.0/24',
      client: '192.0.2.1',
    })
  })

  test('a share is never narrower than a /64, which one client owns', () => {
    const groups = createAddressGroupsOf({ ipv4: 32, ipv6: 128 })
    assert.equal(groups('2001:db8::1').client, groups('2001:db8::2').client)
  })

  test('behind NAT64 the network is that of the IPv4 address', () => {
    const one = groupsOf('64:ff9b::c000:201')
    assert.equal(one.network, groupsOf('64:ff9b::c000:2ff').network)
    assert.notEqual(one.network, groupsOf('64:ff9b::c000:301').network)
  })
})
