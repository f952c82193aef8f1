/** Variables of systemd, which are no misspelt LISTEN. */
const foreign = new Set(['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'])

/** The setting that an unknown variable probably means; undefined when it is like none. */
export function misspelt(name: string, known: readonly string[]): string | undefined {
  if (foreign.has(name) || known.includes(name)) return undefined
  const bare = bareName(name)
  return known.find((one) => bareName(one) === bare || isOneSlipAway(name, one))
}

function bareName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '')
}

/** Whether one letter was added, left out or changed, or two neighbours were swapped. */
function isOneSlipAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const restA = a.slice(start)
  const restB = b.slice(start)
  if (restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1)) return true
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2)
}
