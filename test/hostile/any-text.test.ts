import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addressOf,
  BAD,
  GOOD,
  hasGood,
  isConservative,
  type Parts,
  partsWith,
  places,
  requestBytes,
} from '../support/hostile-request.ts'
import { inParallel, questionsByAddress, startHostileSite } from '../support/hostile-site.ts'
import { encodings, everyByte, naughtyStrings } from '../support/hostile-texts.ts'
import { isLong } from '../support/rounds.ts'
import { forSuite } from '../support/scope.ts'
import { sendBytes } from '../support/send-bytes.ts'

/**
 * Bytes that end or divide something in a request, and some that do not. In `npm run test:long` all: to nginx
 * the others are alike.
 */
const special = everyByte.filter((byte) => /[\x00-\x20\x7f"#%&./:;?@[\\\]|~az\x80\xa0\xff]/.test(byte))
const bytes = isLong ? everyByte : special

interface Rule {
  /** Bytes for which the backend is not asked. */
  readonly refused: RegExp
  /** Bytes that make another request of the one with the token. */
  readonly changed?: RegExp
}

/**
 * Raw bytes. To nginx a line feed ends a line: the request line is then one of HTTP/0.9, and a header becomes
 * two.
 */
const rules: { readonly [Place in keyof Parts]: Rule } = {
  path: { refused: /[\x00-\x09\x0b-\x20\x7f%]/, changed: /[\n?#]/ },
  name: { refused: /[\x00-\x09\x0b-\x20\x7f]/ },
  value: { refused: /[\x00-\x09\x0b-\x20\x7f]/ },
  userAgent: { refused: /[\x00-\x09\x0b-\x1f\x7f]/ },
  host: { refused: /[^\w.~!$&'()*+,;=%:\n-]/ },
  playbackId: { refused: /[\x00-\x09\x0b-\x1f\x7f]/ },
}
/** Percent-encoded, only the path is decoded by nginx. */
const encodedPath: Rule = { refused: /[\x00-\x1f\x7f]/ }

describe('through nginx, DEFAULT_ACTION=allow and on-failure-allow:', () => {
  let clients = 0
  const site = forSuite((scope) => startHostileSite(scope))

  /** Sends a text at a place, each time from a new address. What came back, and what the backend was asked. */
  const send = async (place: keyof Parts, text: string, token: string) => {
    const from = addressOf(clients++)
    const received = await sendBytes(
      { port: site.nginx.port, from },
      requestBytes('through nginx', partsWith(place, text), token, 0),
    )
    const asked = questionsByAddress(site).get(from) ?? []
    const what = `${JSON.stringify(text)} in ${place} with ${token}: ${received.text.slice(0, 300)}`
    assert.ok(!received.isHung, `${what} hangs`)
    assert.ok(asked.length <= 1 && asked.every(isConservative), `${what}: ${JSON.stringify(asked)}`)
    const { statuses } = received
    assert.ok(statuses.length <= 1 && statuses.every((one) => [200, 400, 403].includes(one)), what)
    return { ...received, asked, what }
  }

  const assertRule = async (place: keyof Parts, byte: string, text: string, rule: Rule): Promise<void> => {
    for (const token of [BAD, GOOD]) {
      const { asked, isLetIn, what } = await send(place, text, token)
      assert.equal(asked.length, rule.refused.test(byte) ? 0 : 1, `${what}: questions`)
      const isAllowed = token === GOOD && !rule.refused.test(byte) && rule.changed?.test(byte) !== true
      assert.equal(isLetIn, isAllowed, what)
      assert.equal(
        asked.some(({ target }) => hasGood(target)),
        isAllowed,
        what,
      )
    }
  }

  for (const place of places) {
    test(`a byte in ${place} is judged by the backend or refused before it`, async () => {
      site.backend.asked.length = 0
      await inParallel(bytes, (byte) => assertRule(place, byte, byte, rules[place]))
    })
  }

  test('a percent-encoded byte in path is judged by the backend or refused before it', async () => {
    site.backend.asked.length = 0
    const { 'percent-encoded': encode = String } = encodings
    await inParallel(bytes, (byte) => assertRule('path', byte, encode(byte), encodedPath))
  })

  test('a naughty string lets nobody in', async () => {
    site.backend.asked.length = 0
    const all = places.flatMap((place, at) =>
      Object.values(encodings).flatMap((encode, of) =>
        naughtyStrings
          // Each once; in `npm run test:long` everywhere.
          .filter((_, n) => isLong || n % 12 === 2 * at + of)
          .map((text) => ({ place, text: encode(text) })),
      ),
    )
    assert.ok(all.length >= naughtyStrings.length)
    await inParallel(all, async ({ place, text }) => {
      const { isLetIn, what } = await send(place, text, BAD)
      assert.ok(!isLetIn, what)
    })
  })

  test('not one of them was decided by the default action, and none was an error of ours', () => {
    const log = site.gate.logText()
    assert.match(log, /"source":"backend"/)
    assert.doesNotMatch(log, /"source":"default"|internal error|unavailable/)
  })
})
