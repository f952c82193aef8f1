// The least that a gate in Node can be: node:http alone. It allows everything without reading it. Its
// parameter is the socket.
import { createServer } from 'node:http'

createServer({ keepAliveTimeout: 75_000 }, (_request, response) => {
  response.sendDate = false
  response.writeHead(200, ['Content-Length', '0'])
  response.end()
}).listen({ path: process.argv[2], backlog: 4096 })
