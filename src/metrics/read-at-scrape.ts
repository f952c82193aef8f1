import { Counter, Gauge, type Metric, type Registry } from 'prom-client'
import type { Distribution } from './durations.ts'

/** The labels of a series, and its value now. All samples of a metric have the same label names. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** As a sample, for a histogram. */
type DistributionSample = readonly [labels: Readonly<Record<string, string>>, value: Distribution]

/** Adds metrics whose values are read at each scrape. Names are given without `alta_auth_`. */
export interface ReadAtScrape {
  counter(name: string, help: string, read: () => readonly Sample[]): void
  gauge(name: string, help: string, read: () => readonly Sample[]): void
  histogram(name: string, help: string, read: () => readonly DistributionSample[]): void
}

/** For numbers that are kept elsewhere, so that counting costs nothing here. */
export function readAtScrape(registry: Registry): ReadAtScrape {
  const options = (name: string, help: string, read: () => readonly Sample[]) => ({
    name: `alta_auth_${name}`,
    help,
    labelNames: Object.keys(read()[0]?.[0] ?? {}),
    registers: [registry],
    collect(this: Counter | Gauge) {
      this.reset()
      for (const [labels, value] of read()) this.inc(labels, value)
    },
  })
  return {
    counter: (name, help, read) => void new Counter(options(name, help, read)),
    gauge: (name, help, read) => void new Gauge(options(name, help, read)),
    histogram: (name, help, read) => registry.registerMetric(distribution(`alta_auth_${name}`, help, read)),
  }
}

/** A histogram of prom-client counts by itself, and a set of labels for each question is dear. */
function distribution(name: string, help: string, read: () => readonly DistributionSample[]): Metric {
  const seriesOf = ([labels, { buckets, count, sum }]: DistributionSample) => [
    ...[...buckets, ['+Inf', count] as const].map(([le, value]) => ({
      metricName: `${name}_bucket`,
      labels: { le, ...labels },
      value,
    })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
  const get = async () => ({ name, help, type: 'histogram', values: read().flatMap(seriesOf) })
  return { name, get } as unknown as Metric
}
