import { createServer, type Server } from 'node:http'

export interface ExampleBackend {
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * The example of Cesbo's documentation: access if the parameter `token` equals 123, compared as a string. Calls `say` with a line about
 * each client that it allows.
 */
export function createExampleBackend(port: number, say: (line: string) => void): ExampleBackend {
  let server: Server | undefined
  return {
    async start() {
      if (server !== undefined) return
      const started = createServer((request, response) => {
        // Not `new URL`: of a path such as // it makes an error.
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
