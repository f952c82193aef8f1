import type { Edges } from './edges.ts'
import { openRawLine } from './raw-line.ts'
import type { Scope } from './scope.ts'

/** What was answered, and how often. */
export type Answers = Readonly<Record<string, number>>

export interface WanderingViewersOptions {
  readonly count: number
  /** All with the same player behind one address, as the boxes of a hotel. */
  readonly equal?: boolean
  /** Begins the name of each. */
  readonly name?: string
}

/** Viewers that go on at another edge with each request, with tokens that the backend has allowed once. */
export interface WanderingViewers {
  /** Each asks once for its channel. */
  open(): Promise<Answers>
  /** Each goes on once, at the edge that `edgeOf` says. */
  round(edgeOf: (viewer: number) => 0 | 1): Promise<Answers>
}

/** Connections to each nginx; viewers share them, as the raw lines keep the load of many low. */
const LINES = 32

export function startWanderingViewers(
  scope: Scope,
  { edges, tokens }: Edges,
  { count, equal = false, name = 'wanderer' }: WanderingViewersOptions,
): WanderingViewers {
  const lines = edges.map(({ nginx }) =>
    Array.from({ length: LINES }, (_, n) => openRawLine(nginx.port, `127.0.2.${equal ? 1 : n + 1}`)),
  )
  scope.after(() => {
    for (const line of lines.flat()) line.close()
  })
  const viewers = Array.from({ length: count }, (_, n) => {
    const token = tokens.issue(`${name}-${n}`)
    const own = [
      `/live/one/index.m3u8?token=${token}`,
      `/live/two/index.m3u8?token=${token}`,
      `/mpegts/one?token=${token}`,
    ][n % 3] as string
    // Some ask for their playlist again, some for segments alone, and some have nothing but their own URL.
    const goesOn = [[own, '/live/one/1.ts'], ['/live/two/1.ts'], [own]][n % 3] as string[]
    return { userAgent: equal ? name : `${name}-${n}`, own, goesOn: equal ? [own] : goesOn, line: n % LINES }
  })
  let answers: Record<string, number> = {}
  const ask = async (viewer: (typeof viewers)[number], edge: 0 | 1, target: string): Promise<void> => {
    const text = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${viewer.userAgent}\r\n\r\n`
    const status = (await lines[edge]?.[viewer.line]?.ask(text)) ?? 'no line'
    answers[status] = (answers[status] ?? 0) + 1
  }
  const each = async (act: (viewer: (typeof viewers)[number], n: number) => Promise<void>) => {
    answers = {}
    await Promise.all(
      Array.from({ length: LINES }, async (_, line) => {
        for (const [n, viewer] of viewers.entries()) if (viewer.line === line) await act(viewer, n)
      }),
    )
    return answers
  }
  return {
    open: () => each((viewer, n) => ask(viewer, n % 2 === 0 ? 0 : 1, viewer.own)),
    round: (edgeOf) =>
      each(async (viewer, n) => {
        for (const target of viewer.goesOn) await ask(viewer, edgeOf(n), target)
      }),
  }
}
