// npm run simulate:scale [-- --viewers 2000 --seed 1]: simulates viewers who come, zap, leave and ask
// for segments, one by one, and prints what the formulas of docs/scale.md say beside it.

import { parseArgs } from 'node:util'
import { evening, type Load } from './scale/audience.ts'
import { loadOf } from './scale/load-of.ts'
import { createRandom } from './scale/random.ts'
import { simulate } from './scale/simulate.ts'
import { number, table } from './table.ts'

const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
})
const words: Readonly<Record<keyof Load, string>> = {
  requests: 'requests to the gates, a second',
  openings: 'starts of channels a second',
  rechecks: 're-checks a second',
  questions: 'questions to the backend, a second',
  recalls: 'looks for a viewer in Valkey, a second',
  writes: 'writes of a session, a second',
  replaces: 'changes of a user, a second',
  sessions: 'sessions in the gates',
  records: 'sessions in Valkey',
  rush: 'starts a second while all come',
}

const viewers = Number(values.viewers)
for (const allow of [60, 300, Number.POSITIVE_INFINITY]) {
  const audience = { ...evening, viewers, allow }
  const said = loadOf(audience)
  const random = createRandom(Number(values.seed))
  const seen = simulate(audience, { settle: 7_200, count: 3_600, random })
  const name = Number.isFinite(allow) ? `${allow}s` : 'session'
  const rows = (Object.keys(words) as (keyof Load)[]).map((what) => [
    words[what],
    number(said[what], 2),
    number(seen[what], 2),
    said[what] === 0 ? '–' : number(seen[what] / said[what], 2),
  ])
  const head = [`ALLOW_TTL=${name}`, 'formula', 'simulation', 'ratio']
  process.stdout.write(`${values.viewers} viewers\n\n${table(head, rows)}\n\n`)
}
