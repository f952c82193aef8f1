import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addressGroupsOf } from '../../src/address.ts'

const clientOf = (address: string): string => addressGroupsOf(address).client

/** The eight groups of an IPv6 address as numbers. */
type Groups = readonly number[]

const word = (pair: readonly string[]): string => {
  const [high = 0, low = 0] = pair.map(Number)
  return ((high << 8) | low).toString(16)
}

/**
 * The first four groups after expansion, computed in the simplest way: a dotted tail becomes two groups, `::`
 * becomes zeros.
 */
function firstFour(address: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const plain = dotted === null ? address : `${dotted[1]}${word(dotted.slice(2, 4))}:${word(dotted.slice(4))}`
  const [left = [], right] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const zeros = right === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...(right ?? [])]
  assert.equal(groups.length, 8, address)
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/**
 * One of the spellings of an address, in lower case as the gate reads it: a run of zeros may be shortened,
 * groups may be padded, the tail may be dotted.
 */
const spelling = fc
  .record({
    groups: fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }),
    padded: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
    from: fc.nat(7),
    length: fc.nat(8),
    dotted: fc.boolean(),
  })
  .map(({ groups, padded, from, length, dotted }) => ({
    groups,
    text: spell(groups, padded, from, length, dotted),
  }))

function spell(
  groups: Groups,
  padded: readonly number[],
  from: number,
  length: number,
  dotted: boolean,
): string {
  const [high = 0, low = 0] = groups.slice(6)
  const words = groups.map((group, at) => group.toString(16).padStart(padded[at] ?? 1, '0'))
  const texts = dotted ? [...words.slice(0, 6), `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`] : words
  let end = from
  while (end < from + length && end < (dotted ? 6 : 8) && groups[end] === 0) end++
  if (end === from) return texts.join(':')
  return `${texts.slice(0, from).join(':')}::${texts.slice(end).join(':')}`
}

describe('whom an address counts as', () => {
  test('an IPv4 address counts alone', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(clientOf(address), address)))
  })

  test('an IPv6 address counts with the first four groups of its expansion, however it is spelled', () => {
    fc.assert(
      fc.property(spelling, ({ groups, text }) => {
        fc.pre(isIPv6(text))
        assert.equal(clientOf(text), firstFour(text), text)
        assert.equal(
          clientOf(text),
          groups
            .slice(0, 4)
            .map((group) => group.toString(16))
            .join(':'),
          text,
        )
      }),
      { numRuns: 5_000 },
    )
  })

  const same: readonly [string, readonly string[]][] = [
    [
      '2001:db8:0:1',
      ['2001:db8:0:1::', '2001:db8:0:1::1', '2001:0db8::1:a:b:c:d', '2001:db8:0:1:ffff:ffff:ffff:ffff'],
    ],
    [
      '2001:db8:0:0',
      ['2001:db8::', '2001:db8::1', '2001:db8:0:0::5', '2001:db8::1:0:0:1', '2001:db8::0:192.0.2.1'],
    ],
    ['0:0:0:0', ['::', '::1', '0::1', '::192.0.2.1', '::ffff:192.0.2.1', '0:0:0:0:ffff::']],
    ['1:2:3:4', ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '0001:0002:0003:0004::', '1:2:3:4:5:6:192.0.2.1']],
  ]
  for (const [group, addresses] of same) {
    test(`${group}::/64 is one client in ${addresses.length} spellings`, () => {
      for (const address of addresses) assert.equal(clientOf(address), group, address)
    })
  }

  test('neighbouring /64 networks are two clients', () => {
    assert.notEqual(clientOf('2001:db8:0:1::1'), clientOf('2001:db8:0:2::1'))
  })

  test('a subscriber of a /56 and a company of a /48 are seen as such, a /24 of IPv4 likewise', () => {
    const groups = (address: string) => addressGroupsOf(address)
    assert.deepEqual(groups('2001:db8:7:1aff::9'), {
      network: '2001:db8:7',
      subnet: '2001:db8:7:1a00/56',
      client: '2001:db8:7:1aff',
    })
    assert.equal(groups('2001:db8:7:1a01::').subnet, groups('2001:db8:7:1aff::').subnet)
    assert.notEqual(groups('2001:db8:7:1b00::').subnet, groups('2001:db8:7:1aff::').subnet)
    assert.equal(groups('2001:db8:7:1b00::').network, groups('2001:db8:7:1aff::').network)
    assert.notEqual(groups('2001:db8:8::').network, groups('2001:db8:7::').network)
    assert.deepEqual(groups('192.0.2.1'), { network: '192.0.2', subnet: undefined, client: '192.0.2.1' })
  })
})
