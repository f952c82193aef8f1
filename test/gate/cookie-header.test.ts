import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readSubrequest } from '../../src/gate/read-subrequest.ts'
import { cookieModes, type Subrequest } from '../../src/subrequest.ts'

const value = 'abcdefghijklmnopqrstu_'
const usual = {
  'x-original-ip': '192.0.2.1',
  'x-original-origin': 'https://live.example.com',
  'x-original-path': '/live/one/index.m3u8|',
  'x-original-uri': '/live/one/index.m3u8?token=X',
  'x-original-ua': 'test',
}

type Told = Pick<Subrequest, 'cookieMode' | 'cookie' | 'slot'>

/**
 * What a request with these two headers is about; `refused` for a refusal. The mode stands before the first
 * bar, what is told of the cookie behind it.
 */
function read(
  told: string | string[] | undefined,
  sessionCookie?: (typeof cookieModes)[number],
  more: Readonly<Record<string, string>> = {},
): Subrequest | 'refused' {
  const bar = typeof told === 'string' ? told.indexOf('|') : -1
  const header =
    typeof told !== 'string'
      ? told && { 'x-original-cookie': told }
      : { 'x-original-cookie-mode': told.slice(0, bar), 'x-original-cookie': told.slice(bar + 1) }
  const subrequest = readSubrequest({ ...usual, ...more, ...header } as Record<string, string>, sessionCookie)
  return 'refused' in subrequest ? 'refused' : subrequest
}

function cookieOf(...parameters: Parameters<typeof read>): Told | 'refused' {
  const subrequest = read(...parameters)
  if (subrequest === 'refused') return subrequest
  const { cookieMode, cookie, slot } = subrequest
  return {
    ...(cookieMode !== undefined && { cookieMode }),
    ...(slot !== undefined && { slot }),
    ...(cookie !== undefined && { cookie: 'a key' }),
  }
}

describe('X-Original-Cookie', () => {
  test('without it nothing counts, whatever the mode says', () => {
    for (const told of [undefined, '|', 'off|', 'on|', 'strict|', 'odd|'])
      for (const mode of cookieModes) assert.deepEqual(cookieOf(told, mode), {}, `${told} with ${mode}`)
  })

  test('with off a cookie counts that the client has from before', () => {
    for (const mode of cookieModes) {
      assert.deepEqual(cookieOf('off|3|', mode), { slot: 3 })
      assert.deepEqual(cookieOf(`off||${value}`, mode), { cookie: 'a key' })
    }
  })

  test('without a mode SESSION_COOKIE counts', () => {
    const without = { slot: 3, cookie: 'a key' }
    assert.deepEqual(cookieOf(`|3|${value}`), without)
    assert.deepEqual(cookieOf(`|3|${value}`, 'off'), without)
    for (const cookieMode of ['on', 'strict'] as const)
      assert.deepEqual(cookieOf(`|3|${value}`, cookieMode), { cookieMode, slot: 3, cookie: 'a key' })
  })

  test('a mode of nginx goes before SESSION_COOKIE', () => {
    for (const sessionCookie of cookieModes)
      for (const cookieMode of ['on', 'strict'] as const)
        assert.deepEqual(cookieOf(`${cookieMode}||x`, sessionCookie), { cookieMode })
  })

  test('the key is that of the value at this site, and hides the value', () => {
    const keyOf = (one: string, more?: Readonly<Record<string, string>>): string | undefined => {
      const subrequest = read(`on||${one}`, 'off', more)
      assert.ok(subrequest !== 'refused')
      assert.ok(!JSON.stringify(subrequest).includes(one))
      return subrequest.cookie
    }
    const other = `${value.slice(1)}A`
    const keys = [
      keyOf(value),
      keyOf(other),
      keyOf(value, { 'x-original-origin': 'http://live.example.com' }),
      keyOf(value, { 'x-original-site': 'tv' }),
    ]
    assert.equal(new Set(keys).size, keys.length)
    assert.equal(keyOf(value), keys[0])
    // Another player, address or place is not another key.
    const same = { 'x-original-ip': '198.51.100.7', 'x-original-ua': 'another', 'x-original-path': '/b|' }
    assert.equal(keyOf(value, same), keys[0])
    // With a site, the origin does not count.
    const ofSite = { 'x-original-site': 'tv', 'x-original-origin': 'https://www.example.com' }
    assert.equal(keyOf(value, ofSite), keys[3])
  })

  const bytes = fc
    .array(fc.integer({ min: 0, max: 255 }), { maxLength: 80 })
    .map((codes) => String.fromCharCode(...codes))
  const partOf = (...usual: readonly string[]) => fc.oneof(fc.constantFrom(...usual), bytes)
  const alike = fc.string({ minLength: 22, maxLength: 22, unit: fc.constantFrom(...value, 'A', '9', '-') })
  const header = fc.oneof(
    bytes,
    fc
      .tuple(partOf('on', 'off', 'strict', ''), partOf('', '0', '7', '15', '16'), fc.oneof(alike, bytes))
      .map((parts) => parts.join('|')),
  )

  test('of any bytes never throws, never shows the value, and only changes what is about the cookie', () => {
    const plain = read(undefined)
    const shown = { refused: 0, off: 0, modes: 0, keys: 0, slots: 0 }
    const property = fc.property(header, fc.constantFrom(...cookieModes), (told, sessionCookie) => {
      const subrequest = read(told, sessionCookie)
      const bar = told.indexOf('|')
      const [slot = '', ...rests] = told.slice(bar + 1).split('|')
      const sent = rests.join('|')
      const hasBar = rests.length > 0
      if (told.slice(bar + 1) === '') {
        assert.deepEqual(subrequest, plain)
        return
      }
      const mode = told.slice(0, bar)
      const counts = mode === '' ? sessionCookie : mode
      if (counts !== 'on' && counts !== 'strict' && counts !== 'off') {
        assert.equal(subrequest, 'refused')
        shown.refused++
        return
      }
      assert.ok(subrequest !== 'refused')
      const { cookieMode, cookie, slot: number, ...rest } = subrequest
      assert.deepEqual(rest, plain)
      assert.equal(cookieMode, counts === 'off' ? undefined : counts)
      const isValue = /^[A-Za-z0-9_-]{22}$/.test(sent) && sent.length === 22
      assert.equal(cookie !== undefined, isValue)
      if (hasBar && /^\d{1,2}$/.test(slot) && Number(slot) < 16) assert.equal(number, Number(slot))
      else assert.equal(number, undefined)
      if (isValue) assert.ok(!JSON.stringify(subrequest).includes(sent))
      shown[counts === 'off' ? 'off' : 'modes']++
      if (cookie !== undefined) shown.keys++
      if (number !== undefined) shown.slots++
    })
    fc.assert(property, { numRuns: 5_000, seed: 20_261_128 })
    for (const [what, count] of Object.entries(shown)) assert.ok(count > 200, `${what}: ${count}`)
  })

  test('more than one of them is none', () => {
    assert.deepEqual(cookieOf([`on||${value}`, `strict||${value}`]), {})
  })
})
