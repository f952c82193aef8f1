import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { counted, duration, milliseconds, plain, player } from '../../live-page/format.js'
import { allowed, createRates, denied, SPAN, sum } from '../../live-page/rates.js'
import { storeSentence } from '../../live-page/store-sentence.js'

describe('the words and numbers of the live page', () => {
  test('one is singular', () => {
    assert.deepEqual(
      [0, 1, 2, 20_000].map((number) => counted(number, 'session')),
      ['0 sessions', '1 session', '2 sessions', '20,000 sessions'],
    )
  })

  test('what is invisible or changes direction is shown as its number', () => {
    assert.equal(
      plain('a\u0000b\u009b\u202e\u2066\u200b\ufeff\u3164\u2028'),
      'a\\u{0}b\\u{9b}\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{3164}\\u{2028}',
    )
    assert.equal(plain('\ud800<b>é漢字 😀'), '\\u{d800}<b>é漢字 😀')
  })

  test('players are named in a few words', () => {
    const names = {
      'VLC/3.0.21 LibVLC/3.0.21': 'VLC 3.0.21',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36':
        'Chrome 156',
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0':
        'Edge 131',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1':
        'Safari 18',
      'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0': 'Firefox 133',
      'AppleCoreMedia/1.0.0.22B83 (Apple TV; U; CPU OS 18_1 like Mac OS X; en_us)': 'AppleCoreMedia 1.0.0.22',
      'Lavf/61.7.100': 'Lavf 61.7.100',
      'My own player': 'My own player',
      '': '',
    }
    assert.deepEqual(Object.fromEntries(Object.keys(names).map((agent) => [agent, player(agent)])), names)
  })

  test('times have the unit that fits', () => {
    assert.deepEqual([0, 59, 60, 3_599, 3_600, 5_000, 86_400, 100_000].map(duration), [
      ...['0 s', '59 s', '1 min', '59 min', '1 h', '1 h 23 min', '1 d', '1 d 3 h'],
    ])
    assert.deepEqual([null, 0, 3.25, 42.4, 1_500].map(milliseconds), [
      '–',
      '0 ms',
      '3.3 ms',
      '42 ms',
      '1.5 s',
    ])
  })

  test('each verdict is in exactly one part of the charts', () => {
    const allow = { backend: 1, session: 10, stale: 100, default: 1_000, gate: 0 }
    const deny = { backend: 1, session: 10, stale: 100, default: 1_000, gate: 10_000 }
    assert.equal(sum(allowed, { allow, deny }), 1_111)
    assert.equal(sum(denied, { allow, deny }), 11_111)
  })

  test('seconds in which nothing was heard stay empty in the charts', () => {
    const none = { backend: 0, session: 0, stale: 0, default: 0, gate: 0 }
    const rates = createRates()
    const heard = () =>
      rates
        .seconds()
        .map((one) => (one === undefined ? '.' : 'x'))
        .join('')
        .replace(/^\.+/, '')
    rates.add({ allow: none, deny: none }, 1_000_000)
    rates.add({ allow: none, deny: none }, 1_000_990)
    rates.add({ allow: none, deny: none }, 1_005_010)
    assert.equal(heard(), 'xx...x')
    assert.equal(rates.seconds().length, SPAN)
    rates.add({ allow: none, deny: none }, 9_000_000)
    assert.equal(heard(), 'x')
    assert.equal(rates.seconds().length, SPAN)
  })
})

describe('the notice of a store', () => {
  const time = '2026-11-28T12:10:00.000Z'
  const since = '2026-11-28T12:00:00.000Z'
  const gates = { name: 'north', away: false, all: [], misfits: [] }

  test('that gates share says that this gate is alone, and what that means', () => {
    const state = { usable: false, since, message: 'it does not answer' }
    const notice = storeSentence({ time, state, gates: { ...gates, away: true } })
    assert.match(notice, /^Since \d\d:\d\d:\d\d this gate is alone: it does not answer\. Who plays goes on\./)
    assert.match(storeSentence({ time, state }), /sessions are not kept/)
  })

  test('says that new sessions are not kept, and nothing while all is well', () => {
    const full = { usable: true, since, why: 'full', message: 'STATE_MAX is reached' }
    assert.match(storeSentence({ time, state: full }), /STATE_MAX is reached/)
    assert.equal(storeSentence({ time, gates, state: { usable: true, since } }), '')
  })
})
