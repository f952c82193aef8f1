import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { CYCLE, SEGMENT_AFTER, type Watched, watch } from '../support/audience.ts'
import { isFull } from '../support/full.ts'

const VIEWERS = 10_000
const MINUTES = isFull ? 10 : 4
const SECONDS = MINUTES * 60
/** Seconds over which the openings are spread, where they are spread. */
const ARRIVAL = 60

/**
 * What the backend should be asked, in seconds.
 *
 * A re-check starts with the first request after the session is due. Requests leave gaps of 1 s and 5 s in
 * each cycle of 6 s. The due moment falls anywhere in the cycle alike, hence into the gap g with probability
 * g/6, and waits g/2 there:
 *
 *     wait = (1·1 + 5·5) / (2·6) = 2.17
 *
 * Who comes at a is re-checked at a + 60 + wait for the first time: one question. From 6 s later on the
 * session is due once in each 60 s, and asked about if the wait ends before the end. The mean of a is 30:
 *
 *     questions = viewers · (1 opening + 1 + (600 − 30 − 60 − wait − 6 − wait) / 60) = viewers · 10.33
 *
 * This is for the ten minutes of docs/performance.md.
 */
const TERM = 60
const gaps = [SEGMENT_AFTER / 1_000, (CYCLE - SEGMENT_AFTER) / 1_000]
const wait = gaps.reduce((sum, gap) => sum + gap * gap, 0) / (2 * (CYCLE / 1_000))
const perSecond = VIEWERS / TERM
const expected = VIEWERS * (2 + (SECONDS - ARRIVAL / 2 - 1.1 * TERM - 2 * wait) / TERM)

const peakOf = (questions: readonly number[]): number => Math.max(...questions)

function report(t: TestContext, { questions, total }: Watched): void {
  t.diagnostic(`questions: ${total}; mean in steady state: ${perSecond.toFixed(1)} a second`)
  const peaks = Array.from({ length: MINUTES }, (_, n) => peakOf(questions.slice(n * 60, n * 60 + 60)))
  t.diagnostic(`most in one second, minute by minute: ${peaks.join(' ')}`)
}

const numeral = (value: number): string => Math.round(value).toLocaleString('en')
const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')

/** The clock and chance are pretend: in full the figures are those of the page on every machine. */
function assertStated(t: TestContext, figures: string): void {
  t.diagnostic(figures)
  if (isFull) assert.ok(page.includes(`| ${figures} |`), `docs/performance.md must say: ${figures}`)
}

describe(`${VIEWERS} viewers play for ${MINUTES} minutes with two requests in 6 s each`, () => {
  test('arriving within a minute: as many questions as expected, never twice the mean in a second', async (t) => {
    const watched = await watch({ viewers: VIEWERS, arriveWithin: ARRIVAL * 1_000, seconds: SECONDS })
    report(t, watched)
    const difference = watched.total / expected - 1
    t.diagnostic(`expected ${Math.round(expected)}: off by ${(difference * 100).toFixed(2)} %`)
    assert.equal(watched.wrong, 0)
    assert.ok(Math.abs(difference) < 0.01, `${watched.total} questions, expected ${Math.round(expected)}`)
    // The same holds for the minute in which they arrive.
    const peak = peakOf(watched.questions)
    assert.ok(peak <= 2 * perSecond, `${peak} questions in one second`)
    assertStated(
      t,
      `${numeral(watched.total)} questions, ${numeral(expected)} expected; ${peak} in the busiest second, ${numeral(perSecond)} on average`,
    )
  })

  test('arriving within one second: the first re-checks come together, later ones do not', async (t) => {
    const watched = await watch({ viewers: VIEWERS, arriveWithin: 1_000, seconds: SECONDS })
    report(t, watched)
    assert.equal(watched.wrong, 0)
    const [first, later] = [peakOf(watched.questions.slice(1, 120)), peakOf(watched.questions.slice(120))]
    assert.ok(first < VIEWERS / 9, `${first} questions in one second of the first two minutes`)
    assert.ok(later <= 1.5 * perSecond, `${later} questions in one second of the later ones`)
    assertStated(
      t,
      `${numeral(watched.total)} questions; ${first} in the busiest second after the first, ${later} from the third minute on`,
    )
  })
})
