import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { createLog } from '../../src/log/log.ts'
import { prettyLine } from '../../src/log/pretty-line.ts'

const line = (level: string, message: string, fields = {}): string =>
  prettyLine('13:25:54.000', level, message, fields, (_level, text) => text)

const decision = {
  verdict: 'allow',
  source: 'backend',
  reason: 'backend-200',
  session: '8jPbWKnByXa9JzYMIdHzyA',
  address: '192.0.2.1',
  origin: 'http://live.example.com',
  path: '/live/news/index.m3u8',
  backend: 'http://127.0.0.1:6000/auth',
  ms: 3,
}

describe('a line for people', () => {
  test('says what was decided first, so that the verdicts stand below one another', () => {
    const shown = ['decided', 're-checked', 'refused', 'repeated'].map((message) => {
      return line(message === 'repeated' ? 'debug' : 'info', message, decision)
    })
    assert.equal(
      shown[0],
      '13:25:54.000 info  decided    allow backend-200 (backend) session=8jPbWKnByXa9JzYMIdHzyA address=192.0.2.1 ' +
        'origin=http://live.example.com path=/live/news/index.m3u8 backend=http://127.0.0.1:6000/auth ms=3',
    )
    assert.deepEqual([...new Set(shown.map((one) => one.indexOf(' allow ')))], [29])
    const denied = line('info', 'decided', { verdict: 'deny', source: 'gate', reason: 'bad-request', ms: 0 })
    assert.equal(denied, '13:25:54.000 info  decided    deny  bad-request (gate) ms=0')
  })

  test('puts what is more than a word in quotes, and nothing else', () => {
    assert.equal(
      line('warn', 'backend unavailable', {
        backend: 'http://b',
        why: 'not GET /auth',
        user: '',
        a: 'x"y',
        n: 0,
      }),
      '13:25:54.000 warn  backend unavailable backend=http://b why="not GET /auth" user="" a="x\\"y" n=0',
    )
  })

  test('cannot be made two by a value: a text of several lines is indented', () => {
    const shown = line('error', 'internal error', { error: 'Error: x\n    at y\n13:00:00.000 info  z', a: 1 })
    assert.equal(
      shown,
      [
        '13:25:54.000 error internal error a=1',
        '    error:',
        '    Error: x',
        '        at y',
        '    13:00:00.000 info  z',
      ].join('\n'),
    )
    assert.equal(line('info', 'x', { a: 'b\rc\t\x1b[31m' }).includes('\x1b'), false)
  })

  for (const colour of [true, false]) {
    test(`colours the level ${colour ? 'where colours are wanted' : 'nowhere else'}`, () => {
      let written = ''
      const stream = new Writable({
        write(chunk, _encoding, done) {
          written += chunk
          done()
        },
      })
      createLog({ level: 'info', format: 'pretty', colour, stream }).info('listening', { gate: 'here' })
      const level = colour ? '\x1b[32minfo \x1b[39m' : 'info '
      assert.match(written, /^\d\d:\d\d:\d\d\.\d{3} /)
      assert.equal(written.slice(13), `${level} listening gate=here\n`)
    })
  }
})

test('no line of the log moves the cursor of a terminal, whatever a value holds', async () => {
  for (const format of ['json', 'pretty'] as const) {
    let text = ''
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        done()
      },
    })
    const log = createLog({ level: 'info', format, colour: false, stream })
    const value = 'a\x9b31mb\x1b[2Jc\u202ed\u2028e'
    log.warn('told', { value, error: `first\n${value}` })
    assert.doesNotMatch(text.trimEnd(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/)
    assert.match(text, /a\\u009b31mb/)
    if (format === 'json') assert.equal((JSON.parse(text) as { value: string }).value, value)
  }
})
