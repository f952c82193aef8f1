import { createRequest } from '../../src/client/alta-contract.ts'
import type { HttpRequest } from '../../src/client/client.ts'
import { readEndpoint } from '../../src/client/endpoint.ts'
import { readSubrequest } from '../../src/gate/read-subrequest.ts'
import { type GateQuestion, gateHeaders } from './ask-gate.ts'

/**
 * What the gate would ask a backend about this subrequest; undefined when it refuses it. Its headers arrive
 * as Node reads them: names in lower case, values without spaces around them.
 */
export function questionOf(
  subrequest: GateQuestion,
  backendUrl = 'http://127.0.0.1/auth',
): HttpRequest | undefined {
  const headers = gateHeaders(subrequest).map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')]
  })
  const read = readSubrequest(Object.fromEntries(headers))
  return 'refused' in read ? undefined : createRequest(readEndpoint(backendUrl), read, 'session')
}
