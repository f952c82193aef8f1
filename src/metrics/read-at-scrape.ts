import { Counter, Gauge, type Registry } from 'prom-client'

/** The labels of a series, and its value now. All samples of a metric have the same label names. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** Adds metrics whose values are read at each scrape. Names are given without `alta_auth_`. */
export interface ReadAtScrape {
  counter(name: string, help: string, read: () => readonly Sample[]): void
  gauge(name: string, help: string, read: () => readonly Sample[]): void
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
  }
}
