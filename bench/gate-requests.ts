import { gateHeaders } from '../test/support/ask-gate.ts'
import { GOOD_TOKEN, userAgentOf } from './audience.ts'
import { ADDRESS, NUMBER } from './newcomers.ts'

/** Bytes of the client's whole URL. */
const URL_LENGTH = 200
const ORIGIN = 'https://live.example.com'
/** The usual number of digits. */
const DIGITS = 6
const CHANNELS = 500

/**
 * Templates of the requests that nginx sends to the gate when a new viewer opens a playlist. URLs have 200
 * bytes.
 */
export const gateRequests: readonly string[] = Array.from({ length: CHANNELS }, (_, channel) => {
  const path = `/live/region-${channel % 40}/channel-${channel}/index.m3u8`
  const start = `${path}?token=${GOOD_TOKEN}`
  const token = '0'.repeat(URL_LENGTH - ORIGIN.length - start.length - DIGITS) + NUMBER
  const headers = gateHeaders({
    address: ADDRESS,
    origin: ORIGIN,
    uri: start + token,
    userAgent: userAgentOf(channel),
  })
  // The generator fills in the number first, so the address stands behind it.
  const [address = '', ...others] = headers
  return `GET /auth HTTP/1.1\r\nHost: alta-auth\r\n${[...others, address].join('\r\n')}\r\n\r\n`
})
