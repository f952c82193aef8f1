import { createServer, type Server } from 'node:http'

/** The backend of the demo. */
export interface ExampleBackend {
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * The example of Cesbo's documentation: it allows a client when the parameter `token` is the string 123.
 * Calls `say` with a line about each client that it allows.
 */
export function createExampleBackend(port: number, say: (line: string) => void): ExampleBackend {
  let server: Server | undefined
  return {
    async start() {
      if (server !== undefined) return
      const started = createServer((request, response) => {
        // Not `new URL`, which throws for a path such as //.
        const [, query = ''] = /\?(.*)/.exec(request.url ?? '') ?? []
        const tokens = new URLSearchParams(query).getAll('token')
        // The last one counts, as in PHP.
        const allowed = tokens.at(-1) === '123'
        if (allowed) {
          const { headers } = request
          const names = ['session-id', 'real-ip', 'real-path', 'real-origin', 'real-ua']
          say(`allowed ${names.map((name) => `${name}=${String(headers[`x-${name}`])}`).join(' ')}`)
        }
        response.writeHead(allowed ? 200 : 403).end()
      })
      await new Promise<void>((resolve, reject) => {
        started.once('error', reject)
        started.listen(port, '127.0.0.1', resolve)
      })
      server = started
    },
    async stop() {
      const stopping = server
      server = undefined
      if (stopping === undefined) return
      const closed = new Promise((resolve) => stopping.close(resolve))
      stopping.closeAllConnections()
      await closed
    },
  }
}
