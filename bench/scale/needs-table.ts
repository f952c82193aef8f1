import { number, table } from '../table.ts'
import { type Audience, evening } from './audience.ts'
import type { Costs } from './costs.ts'
import { type Needs, needsOf } from './needs.ts'

/** What docs/scale.md reckons with: many viewers, so ALLOW_TTL is five minutes. */
export const audiences: readonly Audience[] = [100_000, 1_000_000, 10_000_000].map((viewers) => ({
  ...evening,
  viewers,
  allow: 300,
}))

/** What these audiences need, one column for each. */
export function needsTable(costs: Costs): string {
  const all = audiences.map((audience) => needsOf(audience, costs))
  const row = (what: string, read: (needs: Needs) => number, digits = 0, unit = ''): string[] => [
    what,
    ...all.map((needs) => `${number(read(needs), digits)}${unit}`),
  ]
  return table(
    ['viewers at once', ...audiences.map(({ viewers }) => number(viewers, 0))],
    [
      row('requests of nginx to the gates, a second', ({ load }) => load.requests),
      row('starts of channels a second', ({ load }) => load.openings),
      row('re-checks a second', ({ load }) => load.rechecks),
      row('**questions to the backend, a second**', ({ load }) => load.questions),
      row('the same while all come within five minutes', ({ load }) => load.rush + load.rechecks),
      row('media, Gbit/s', ({ media }) => media / 1e9),
      row('**nginx machines** of 20 Gbit/s each', ({ edges }) => edges),
      row('cores of nginx for asking', ({ nginxCores }) => nginxCores, 1),
      row('cores of the gates', ({ gateCores }) => gateCores, 1),
      row('the same for the new ones, while all come', ({ rushGateCores }) => rushGateCores, 1),
      row('**gates**, each half busy', ({ gates }) => gates),
      row('**primaries of Valkey**, each half busy', ({ nodes }) => nodes),
      row('sessions in all of them', ({ load }) => load.records),
      row('their memory together, GB', ({ valkeyBytes }) => valkeyBytes / 1e9, 1),
      row(
        'their commands a second',
        ({ load, heartbeats }) => load.recalls + load.writes + load.replaces + heartbeats,
      ),
      row('heartbeats of the gates among them', ({ heartbeats }) => heartbeats),
      row('their cores', ({ valkeyCores }) => valkeyCores, 1),
      row('the same in addition, while all come', ({ rushValkeyCores }) => rushValkeyCores, 1),
      row('interim events a second, with `EVENTS_INTERIM=10m`', ({ interims }) => interims),
    ],
  )
}
