import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Parts, partsWith, places, type Route, routes, sendParts } from '../support/hostile-request.ts'
import {
  addressOf,
  BAD,
  GOOD,
  hasGood,
  inParallel,
  isConservative,
  questionsByAddress,
  startHostileSite,
  tally,
} from '../support/hostile-site.ts'
import { forSuite } from '../support/scope.ts'

const bytes = Array.from({ length: 256 }, (_, byte) => byte)
const LF = 10
const isControl = (byte: number): boolean => byte < 32 || byte === 127
const isOneOf = (characters: string) => (byte: number) => characters.includes(String.fromCharCode(byte))
const isInHosts = (byte: number): boolean => /[\w.~!$&'()*+,;=%-]/.test(String.fromCharCode(byte))
const nothing = (): boolean => false

type Form = 'raw' | 'percent-encoded'
const forms: Readonly<Record<Form, (byte: number) => string>> = {
  raw: (byte) => String.fromCharCode(byte),
  'percent-encoded': (byte) => `%${byte.toString(16).padStart(2, '0')}`,
}

interface Rule {
  /** Bytes for which the backend is not asked. */
  readonly refused: (byte: number) => boolean
  /** Bytes that make another request of the one with the token. */
  readonly changed?: (byte: number) => boolean
}

/** To nginx a line feed ends a line: the request line is then one of HTTP/0.9, and a header becomes two. */
const inNginxLine = (byte: number): boolean => isControl(byte) && byte !== LF
const inRequestLine = (byte: number): boolean => (isControl(byte) && byte !== LF) || byte === 32
const inQuery: Rule = { refused: (byte) => isControl(byte) || byte === 32 }
const inHeader: Rule = { refused: (byte) => isControl(byte) && byte !== 9 }

const raw: Readonly<Record<Route, { readonly [Place in keyof Parts]: Rule }>> = {
  'through nginx': {
    path: {
      refused: (byte) => inRequestLine(byte) || byte === 37,
      changed: (byte) => byte === LF || isOneOf('?#')(byte),
    },
    name: { refused: inRequestLine },
    value: { refused: inRequestLine },
    userAgent: { refused: inNginxLine },
    host: { refused: (byte) => !isInHosts(byte) && byte !== LF && byte !== 58 },
    playbackId: { refused: inNginxLine },
  },
  directly: {
    path: { refused: isControl },
    name: inQuery,
    value: inQuery,
    userAgent: inHeader,
    host: { refused: (byte) => !isInHosts(byte) },
    playbackId: inHeader,
  },
}

/** Percent-encoded, only nginx's decoded path can hold anything but printable ASCII. */
function ruleFor(route: Route, form: Form, place: keyof Parts): Rule {
  if (form === 'raw') return raw[route][place]
  return { refused: route === 'through nginx' && place === 'path' ? isControl : nothing }
}

describe('every byte, DEFAULT_ACTION=allow and on-failure-allow:', () => {
  let clients = 0
  const site = forSuite((scope) => startHostileSite(scope))

  for (const route of routes) {
    for (const place of places) {
      for (const form of ['raw', 'percent-encoded'] as const) {
        test(`${form} in ${place}, ${route}: judged by the backend or refused before it`, async (t) => {
          const rule = ruleFor(route, form, place)
          const first = clients
          clients += 512
          const cases = bytes.flatMap((byte) => [
            { byte, token: BAD },
            { byte, token: GOOD },
          ])
          site.backend.asked.length = 0
          const answers = await inParallel(cases, ({ byte, token }, index) =>
            sendParts(site, route, partsWith(place, forms[form](byte)), token, first + index),
          )

          const questions = questionsByAddress(site)
          for (const [index, { byte, token }] of cases.entries()) {
            const { statuses, isHung, isLetIn, text } = answers[index] ?? assert.fail()
            const asked = questions.get(addressOf(first + index)) ?? []
            const what = `byte ${byte} with ${token}: ${text.slice(0, 300)}`
            assert.ok(!isHung, `${what} hangs`)
            assert.ok(asked.every(isConservative), `${what} asks ${JSON.stringify(asked)}`)
            assert.equal(asked.length, rule.refused(byte) ? 0 : 1, `${what}: questions`)
            const isAllowed = token === GOOD && !rule.refused(byte) && rule.changed?.(byte) !== true
            assert.equal(isLetIn, isAllowed, what)
            assert.equal(
              asked.some(({ target }) => hasGood(target)),
              isAllowed,
              what,
            )
            const expected = route === 'directly' ? [200, 403] : [200, 400, 403]
            assert.ok(statuses.length <= 1 && statuses.every((one) => expected.includes(one)), what)
          }
          t.diagnostic(`${cases.length} requests: ${tally(answers.map(({ statuses }) => statuses[0] ?? 0))}`)
        })
      }
    }
  }

  test('not one of them was decided by the default action, and none was an error of ours', () => {
    const log = site.gate.logText()
    assert.match(log, /"source":"backend"/)
    assert.doesNotMatch(log, /"source":"default"|internal error|unavailable/)
  })
})
