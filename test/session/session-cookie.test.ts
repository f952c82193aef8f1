import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { cookieKeyOf, isSecret, newSecret, SLOTS } from '../../src/session/session-cookie.ts'

/** RFC 4648, section 5. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Values of each slot. */
const EACH = 4_000

/** How far counts are from being equal: chi-squared for each degree of freedom, about 1 if by chance. */
function unevenness(counts: readonly number[]): number {
  const mean = counts.reduce((sum, one) => sum + one, 0) / counts.length
  return counts.reduce((sum, one) => sum + (one - mean) ** 2 / mean, 0) / (counts.length - 1)
}

/** Slot of each letter, read from nginx's map as nginx compares it. */
function nginxSlots(): ReadonlyMap<string, number> {
  const conf = readFileSync(new URL('../../nginx/alta-auth/http.conf', import.meta.url), 'utf8')
  const [, block = ''] = /map \$alta_auth_jar \$alta_auth_bay \{([^}]*)\}/.exec(conf) ?? []
  const lines = [...block.matchAll(/^ *"~(\[[^\]]+\]\$)" +(\d+);$/gm)]
  return new Map(
    [...alphabet].map((letter) => {
      const found = lines.filter(([, pattern = '']) => new RegExp(pattern).test(`${'x'.repeat(21)}${letter}`))
      assert.equal(found.length, 1, `${letter} has ${found.length} slots`)
      return [letter, Number(found[0]?.[2])]
    }),
  )
}

describe('the value of a session cookie', () => {
  const values = Array.from({ length: SLOTS }, (_, slot) =>
    Array.from({ length: EACH }, () => newSecret(slot)),
  )

  test('is 22 characters, another one each time', () => {
    for (const value of values.flat()) assert.match(value, /^[A-Za-z0-9_-]{22}$/)
    assert.equal(new Set(values.flat()).size, SLOTS * EACH)
    assert.ok(values.flat().every(isSecret))
  })

  test('says its slot in its last letter, to nginx as well', () => {
    const slots = nginxSlots()
    assert.equal(slots.size, 64)
    for (const [letter, slot] of slots) assert.equal(alphabet.indexOf(letter) & 15, slot, letter)
    for (const [slot, all] of values.entries())
      for (const value of all) assert.equal(slots.get(value.at(-1) ?? ''), slot, value)
  })

  test('has 128 random bits, whatever its slot', () => {
    for (const [slot, all] of values.entries()) {
      const bits = Array<number>(128).fill(0)
      for (const value of all) {
        // The last letter has two of them, in front of the slot.
        const indexes = [...value].map((letter) => alphabet.indexOf(letter))
        const text = indexes.map((index) => index.toString(2).padStart(6, '0')).join('')
        for (let bit = 0; bit < 128; bit++) if (text[bit] === '1') bits[bit] = (bits[bit] ?? 0) + 1
      }
      // Seven standard deviations: by chance once in a hundred thousand million runs for each bit.
      const most = 7 * Math.sqrt(EACH / 4)
      for (const [bit, ones] of bits.entries())
        assert.ok(Math.abs(ones - EACH / 2) < most, `slot ${slot}, bit ${bit}: ${ones} of ${EACH}`)
    }
  })

  test('has each letter equally often at each of the first 21 places, and each of the four last ones of a slot', () => {
    for (const [slot, all] of values.entries())
      for (let place = 0; place < 22; place++) {
        const counts = new Map<string, number>()
        for (const value of all) counts.set(value[place] ?? '', (counts.get(value[place] ?? '') ?? 0) + 1)
        assert.equal(counts.size, place < 21 ? 64 : 4, `slot ${slot}, place ${place}`)
        assert.ok(unevenness([...counts.values()]) < (place < 21 ? 3 : 12), `slot ${slot}, place ${place}`)
      }
  })
})

describe('the key of a session cookie', () => {
  const value = newSecret(3)

  test('is the same each time, and tells nothing of the value', () => {
    const key = cookieKeyOf(value, 'https://live.example.com')
    assert.equal(key, cookieKeyOf(value, 'https://live.example.com'))
    assert.match(key, /^[\w-]{22}$/)
    assert.notEqual(key, value)
  })

  test('is another one for each value and each site', () => {
    const sites = ['https://live.example.com', 'http://live.example.com', 'https://other.example.com', 'tv']
    const keys = [value, newSecret(3)].flatMap((one) => sites.map((site) => cookieKeyOf(one, site)))
    assert.equal(new Set(keys).size, 2 * sites.length)
  })
})

test('only 22 letters of base64url look like a value', () => {
  for (const text of [
    '',
    'A'.repeat(21),
    'A'.repeat(23),
    `${'A'.repeat(21)}.`,
    `${'A'.repeat(21)}\n`,
    `${'A'.repeat(22)}\n`,
  ])
    assert.equal(isSecret(text), false, JSON.stringify(text))
})
