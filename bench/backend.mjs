// The backend of the bench, fast and simple: node backend.mjs <port> <milliseconds of an answer> [limited].
// With `limited` each token is a user of its own, who may play once. Plain JavaScript, so that Node runs it
// without a loader.

import { createServer } from 'node:http'

const [port, took] = process.argv.slice(2).map(Number)
const isLimited = process.argv[4] === 'limited'
let asked = 0

/**
 * Allows good tokens, and requests without a token: contenders without sessions ask about each segment, and
 * segments have no token. A token `for-<address>` is good for this client address only. It shows whether a
 * contender tells the backend the client's address.
 * @param {string} query
 * @param {string | string[] | undefined} address
 */
function allows(query, address) {
  const at = query.indexOf('token=')
  if (at === -1) return true
  const token = query.slice(at + 6)
  return token.startsWith('good-') || token === `for-${address}`
}

createServer((request, response) => {
  const url = request.url ?? ''
  if (url === '/asked') {
    response.end(String(asked))
    return
  }
  asked++
  const mark = url.indexOf('?')
  const query = mark === -1 ? '' : url.slice(mark + 1)
  const allowed = allows(query, request.headers['x-real-ip'])
  const answer = () => {
    response.sendDate = false
    const limit = isLimited ? ['X-UserId', query.slice(-24), 'X-Max-Sessions', '1', 'X-Unique', 'true'] : []
    response.writeHead(allowed ? 200 : 403, ['Content-Length', '0', ...limit])
    response.end()
  }
  if (took) setTimeout(answer, took)
  else answer()
}).listen({ port, host: '127.0.0.1', backlog: 4096 })
