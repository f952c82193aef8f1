import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { createLogLine } from '../../src/log/log-line.ts'
import { createLogStream } from '../../src/log/log-stream.ts'

/** A reader that takes nothing until it may. */
function createSleeper() {
  const taken: string[] = []
  let next = (): void => {}
  const target = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      taken.push(text)
      next = done
    },
  })
  return { target, taken, wake: () => next() }
}

describe('what the log says of lines that it dropped', () => {
  const shapes = {
    json: /^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"warn","message":"log lines dropped","lines":2\}\n$/,
    pretty: /^\d\d:\d\d:\d\d\.\d{3} warn {2}log lines dropped lines=2\n$/,
  }
  for (const format of ['json', 'pretty'] as const) {
    test(`is a line like all others, with its time: ${format}`, () => {
      const { target, taken, wake } = createSleeper()
      const stream = createLogStream(target, createLogLine({ format, colour: false }))
      stream.write('x'.repeat(1_100_000))
      stream.write('dropped')
      stream.write('dropped, too')
      assert.equal(stream.linesDropped(), 2)
      wake()
      stream.write('the next')
      for (let more = 0; more < 3; more++) wake()
      assert.deepEqual([taken.length, taken.at(-1)], [3, 'the next'])
      assert.match(taken[1] ?? '', shapes[format])
    })
  }
})
