const unitOf: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Reads a time of nginx (`3s`, `1m30s`, `60` = seconds). Returns milliseconds; undefined when it is none. */
export function readNginxTime(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  if (!/^(?:\d+(?:ms|[smhdw]))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)(ms|[smhdw])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (unitOf[unit] ?? 0),
    0,
  )
}
