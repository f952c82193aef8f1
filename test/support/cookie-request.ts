import assert from 'node:assert/strict'
import { readSubrequest } from '../../src/gate/read-subrequest.ts'
import type { CookieMode, Subrequest } from '../../src/subrequest.ts'
import { type GateQuestion, gateHeaders } from './ask-gate.ts'

/** A client request as `GateQuestion`, with what nginx tells of the session cookie. */
export interface CookieQuestion extends GateQuestion {
  readonly mode?: CookieMode
  /** The value that the client sent. */
  readonly value?: string | undefined
}

/** Reads the request as the gate does, from the headers that nginx would send. */
export function cookieRequest(
  uri: string,
  { mode = 'off', value = '', ...more }: CookieQuestion,
): Subrequest {
  const lines = [
    ...gateHeaders({ uri, ...more }),
    `X-Original-Cookie-Mode: ${mode}`,
    `X-Original-Cookie: |${value}`,
  ]
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)]
    }),
  )
  const subrequest = readSubrequest(headers)
  assert.ok(!('refused' in subrequest), 'refused' in subrequest ? subrequest.refused : '')
  return subrequest
}
