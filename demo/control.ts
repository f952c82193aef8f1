import { createServer, type Server } from 'node:http'
import type { ExampleBackend } from './example-backend.ts'

/** Stops and starts the example backend on request: `GET /stop`, `GET /start`. */
export function createControl(backend: ExampleBackend): Server {
  return createServer((request, response) => {
    const act = { '/stop': backend.stop, '/start': backend.start }[request.url ?? '']
    if (act === undefined) {
      response.writeHead(404).end('there are /stop and /start\n')
      return
    }
    act().then(
      () => response.end(`backend: ${request.url === '/stop' ? 'stopped' : 'started'}\n`),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    )
  })
}
