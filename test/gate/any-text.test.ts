import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BAD,
  GOOD,
  hasGood,
  isConservative,
  type Parts,
  partsWith,
  places,
  questionAbout,
} from '../support/hostile-request.ts'
import { encodings, everyByte, naughtyStrings } from '../support/hostile-texts.ts'

/** What the gate refuses of a text, as it stands, at each place. Node refuses control bytes in a header. */
const refused: { readonly [Place in keyof Parts]: RegExp } = {
  path: /[\x00-\x1f\x7f]/,
  name: /[\x00-\x20\x7f]/,
  value: /[\x00-\x20\x7f]/,
  userAgent: /(?!)/,
  host: /[^\w.~!$&'()*+,;=%-]/,
  playbackId: /(?!)/,
}
/** Longer ones may be too long for their place. */
const SHORT = 60

describe('a text is refused, or is one well-formed question with the token that was sent:', () => {
  for (const place of places) {
    for (const [form, encode] of Object.entries(encodings)) {
      test(`every byte and each naughty string, ${form} in ${place}`, () => {
        let asked = 0
        for (const text of [...everyByte, ...naughtyStrings].map(encode)) {
          for (const token of [BAD, GOOD]) {
            const question = questionAbout(partsWith(place, text), token)
            const what = `${JSON.stringify(text)} with ${token}: ${JSON.stringify(question)}`
            if (text.length <= SHORT) assert.equal(question === undefined, refused[place].test(text), what)
            if (question === undefined) continue
            asked++
            assert.ok(isConservative(question), what)
            assert.equal(hasGood(question.target), token === GOOD, what)
            // In the query no text is lost or rewritten, but what a URL cannot hold.
            const inQuery = place === 'name' || place === 'value'
            if (inQuery && /^[\x21\x22\x24-\x7e]*$/.test(text))
              assert.ok(question.target.includes(`a${text}b`), what)
          }
        }
        assert.ok(asked > 100, `${asked} questions`)
      })
    }
  }

  test('there are hundreds of naughty strings', () => {
    assert.ok(naughtyStrings.length > 400 && everyByte.length === 256)
  })
})
