// The least that a gate in Node can be: node:http alone. It reads what the gate reads, and allows everything.
// Its parameter is the socket.
import { createServer } from 'node:http'
import { readQuestion } from './read-question.mjs'

createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const { address, path } = readQuestion(request.headers)
  response.sendDate = false
  response.writeHead(address === '' || path === '' ? 403 : 200, ['Content-Length', '0'])
  response.end()
}).listen({ path: process.argv[2], backlog: 4096 })
