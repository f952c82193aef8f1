import { type Finding, findingsOf } from '../finding.ts'
import type { Asked } from './ask-invented.ts'

const { ok, warning, failed, skipped } = findingsOf('backend-latency')
/** Milliseconds that Cesbo recommends for backends of Alta. */
const FAST = 100
/** The share of the deadline above which questions will pass the deadline on a busy evening. */
const NEAR = 0.8

/**
 * Checks how long the questions took.
 * @param deadline milliseconds that one question to this backend may take
 */
export function checkLatency(asked: readonly Asked[], deadline: number): Finding {
  const times = asked.map(({ ms }) => ms)
  const slowest = Math.max(0, ...times)
  const unanswered = asked.filter(({ kind }) => kind === 'unavailable').length
  if (unanswered === asked.length) return skipped('not measured: there is no answer')
  // Without the first question, which had to connect.
  const rest = (times.length > 1 ? times.slice(1) : times).sort((a, b) => a - b)
  const median = rest[Math.floor(rest.length / 2)] ?? slowest
  const count = asked.length === 1 ? '1 question' : `${asked.length} questions`
  const detail = { questions: asked.length, unanswered, median, slowest, deadline }
  const sentence = `median ${median} ms, slowest ${slowest} ms of ${count}`
  const remedy = 'make the backend faster: an index on its table of tokens, a cache, more workers'
  if (unanswered > 0) {
    const said = `${unanswered} of ${count} got no answer; ${sentence}`
    return failed(said, 'see the log of the backend', detail)
  }
  if (slowest >= deadline * NEAR) {
    const raise = `${remedy}; or raise BACKEND_TIMEOUT`
    return failed(`${sentence}: too near to the deadline of ${deadline} ms`, raise, detail)
  }
  if (median > FAST) {
    const said = `${sentence}: viewers wait for it at each start; under ${FAST} ms is good`
    return warning(said, remedy, detail)
  }
  return ok(sentence, undefined, detail)
}
