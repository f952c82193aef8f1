import { Agent, request } from 'node:http'
import { HOST, type ViewerRequest } from './audience.ts'

/** Requests under way at once. */
const CONNECTIONS = 16

/** Sends each request once and reads the answer. Resolves with the statuses, in order. */
export async function sendAll(port: number, requests: readonly ViewerRequest[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  try {
    const statuses: number[] = []
    let next = 0
    const sender = async (): Promise<void> => {
      for (let at = next++; at < requests.length; at = next++) {
        const one = requests[at]
        if (one !== undefined) statuses[at] = await send(port, one, agent)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, sender))
    return statuses
  } finally {
    agent.destroy()
  }
}

function send(port: number, viewer: ViewerRequest, agent: Agent): Promise<number> {
  const { path, host = HOST, userAgent, address } = viewer
  const headers = { Host: host, 'User-Agent': userAgent, 'X-Forwarded-For': address }
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', reject)
      .end()
  })
}
