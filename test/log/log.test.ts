import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { createLog, type LogOptions } from '../../src/log/log.ts'

function keepLines(options: Pick<LogOptions, 'level' | 'format'>) {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  return { lines, log: createLog({ ...options, colour: false, stream }) }
}

describe('a line of the log', () => {
  test('is not built where its level is not written', () => {
    const { lines, log } = keepLines({ level: 'warn', format: 'json' })
    const costly = {
      toJSON: () => assert.fail('built'),
    }
    log.info('decided', { costly })
    log.debug('repeated', { costly })
    assert.throws(() => log.warn('told', { costly }))
    assert.deepEqual(lines, [])
  })

  for (const format of ['json', 'pretty'] as const) {
    test(`leaves out fields that are undefined: ${format}`, () => {
      const { lines, log } = keepLines({ level: 'info', format })
      log.info('decided', { user: undefined, path: '/1.ts' })
      log.info('stopped')
      assert.equal(lines.length, 2)
      assert.doesNotMatch(lines.join(''), /user|undefined/)
      assert.match(lines[0] ?? '', /\/1\.ts/)
    })
  }
})
