import { request } from 'node:http'
import type { Settings } from '../config/read-settings.ts'
import type { Explanation } from '../explain/explanation.ts'
import { ExplainError, readClientRequest } from '../explain/read-client-request.ts'
import { dial, formatAddress } from '../listen.ts'
import { createLog } from '../log/log.ts'
import { printable } from '../log/printable.ts'
import { createService } from '../service/service.ts'
import type { AskedToExplain } from './command-line.ts'
import { ENDED, FAILED } from './exit-codes.ts'
import { showExplanation } from './show-explanation.ts'

/** Explains one request on stdout. The exit code says whether that was possible. */
export async function explain(settings: Settings, asked: AskedToExplain): Promise<void> {
  try {
    const explanation = await (asked.direct ? explainDirectly(settings, asked) : askGate(settings, asked))
    process.stdout.write(
      asked.json ? `${JSON.stringify(explanation, undefined, 2)}\n` : showExplanation(explanation),
    )
    process.exitCode = ENDED
  } catch (error) {
    if (!(error instanceof ExplainError)) throw error
    process.stderr.write(`alta-auth: ${printable(error.message)}\n`)
    process.exitCode = FAILED
  }
}

/** Explains as a gate that has just started would decide: no viewer is known. */
async function explainDirectly(settings: Settings, asked: AskedToExplain): Promise<Explanation> {
  const { url, ip: address, ua: userAgent, playbackId } = asked
  // Only faults of alta-auth itself are logged.
  const log = createLog({ level: 'error', format: 'pretty', colour: false, stream: process.stderr })
  const service = createService(settings, log)
  try {
    return await service.explain(readClientRequest({ url, address, userAgent, playbackId }))
  } finally {
    await service.stop()
  }
}

/** Milliseconds that the gate may take beyond the deadline of a question. */
const PATIENCE = 3_000

/** Asks the running gate on its admin listener. @throws {ExplainError} with the cure */
function askGate(settings: Settings, asked: AskedToExplain): Promise<Explanation> {
  const { adminListen, adminToken } = settings
  if (adminListen === undefined || adminListen.kind === 'inherited') {
    throw new ExplainError('ADMIN_LISTEN=off: the gate cannot be asked; set an address, or use --direct')
  }
  const where = formatAddress(adminListen)
  const query = new URLSearchParams({
    url: asked.url,
    ip: asked.ip,
    ua: asked.ua,
    'playback-id': asked.playbackId,
  })
  return new Promise((resolve, reject) => {
    const fail = (what: string): void =>
      reject(
        new ExplainError(
          `${what} at ADMIN_LISTEN=${where}; start the gate with these settings, or use --direct`,
        ),
      )
    const asking = request({
      ...dial(adminListen),
      path: `/explain?${query}`,
      headers: {
        ...(adminListen.kind === 'unix' ? { Host: 'localhost' } : {}),
        ...(adminToken === undefined ? {} : { Authorization: `Bearer ${adminToken}` }),
      },
      timeout: settings.backendTimeout + PATIENCE,
    })
    asking.on('timeout', () => asking.destroy(new Error('no answer')))
    asking.on('error', (error) => fail(`no gate answers (${error.message})`))
    asking.on('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', (error) => fail(`the answer broke off (${error.message})`))
      answer.on('end', () => {
        const body = readJson(Buffer.concat(chunks).toString('utf8'))
        if (answer.statusCode === 200 && isExplanation(body)) resolve(body)
        else if (isComplaint(body)) reject(new ExplainError(body.error))
        else fail(`something else than alta-auth answers (status ${answer.statusCode})`)
      })
    })
    asking.end()
  })
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Any program may answer on this port. */
function isExplanation(body: unknown): body is Explanation {
  return (
    typeof body === 'object' && body !== null && 'decision' in body && 'questions' in body && 'nginx' in body
  )
}

function isComplaint(body: unknown): body is { error: string } {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string'
}
