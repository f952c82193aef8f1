// The least that a gate in Node can be which asks a backend: node:http and undici's Pool.dispatch. It has no
// memory, no log and no deadline. Its parameters are the socket and the origin of the backend.
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { readQuestion } from './read-question.mjs'

const [socket, backend = ''] = process.argv.slice(2)
/** As many connections as the gate has places (BACKEND_CONCURRENCY). */
const pool = new Pool(backend, { connections: 64, headersTimeout: 0, bodyTimeout: 0 })

createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const { address, origin, path, uri, userAgent, requestId } = readQuestion(request.headers)
  /** @param {number} status */
  const answer = (status) => {
    response.sendDate = false
    response.writeHead(status, ['Content-Length', '0'])
    response.end()
  }
  const mark = uri.indexOf('?')
  pool.dispatch(
    {
      method: 'GET',
      path: mark === -1 ? '/auth' : `/auth${uri.slice(mark)}`,
      headers: {
        'X-Session-Id': requestId,
        'X-Real-Ip': address,
        'X-Real-Path': path,
        'X-Real-Origin': origin,
        'X-Real-Ua': userAgent,
      },
    },
    {
      onRequestStart() {},
      onResponseStart: (_controller, status) => answer(status === 200 ? 200 : 403),
      onResponseData() {},
      onResponseEnd() {},
      onResponseError() {
        if (!response.headersSent) answer(403)
      },
    },
  )
}).listen({ path: socket, backlog: 4096 })
