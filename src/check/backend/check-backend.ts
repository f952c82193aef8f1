import { randomBytes } from 'node:crypto'
import { headerOf } from '../../client/client.ts'
import type { Endpoint } from '../../client/endpoint.ts'
import type { Middleware } from '../../client/presets.ts'
import { checkNames } from '../check-names.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { type Asked, createAsker } from './ask-invented.ts'
import { checkAnswer } from './check-answer.ts'
import { checkCertificate } from './check-certificate.ts'
import type { ClockReading } from './check-clock.ts'
import { checkConnection } from './check-connection.ts'
import { checkLatency } from './check-latency.ts'
import { checkPath } from './check-path.ts'
import { checkRedirect } from './check-redirect.ts'
import { checkToken } from './check-token.ts'
import { connectTo } from './connect-to.ts'
import { type Inspected, inspectCertificate } from './inspect-certificate.ts'
import { lookUp } from './look-up.ts'

/** The backend, and how it is asked. */
interface CheckBackendOptions {
  readonly endpoint: Endpoint
  readonly middleware: Middleware
  readonly tokenParam: string
  /** Milliseconds that one question to it may take. */
  readonly deadline: number
  readonly unavailableStatus: ReadonlySet<number>
  /** Whether the gate asks again about sessions that play. */
  readonly rechecks: boolean
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

/** The findings about one backend, and what it says about the time. */
export interface CheckedBackend {
  readonly findings: readonly Finding[]
  readonly answered: boolean
  /** Undefined when the backend sends no `Date`. */
  readonly reading: ClockReading | undefined
}

/** Milliseconds: for one step, for all questions, and for everything. */
const STEP = 2_500
const QUESTIONS_TIME = 3_000
const WHOLE = 11_000
/** The most milliseconds that a check waits for an answer, whatever BACKEND_TIMEOUT says. */
const PATIENCE = 4_000
const QUESTIONS = 7

const order = checkNames.filter((name) => name.startsWith('backend-'))

/** Checks one backend step by step, from its name to its speed. Steps that need a failed step are skipped. */
export async function checkBackend(options: CheckBackendOptions): Promise<CheckedBackend> {
  const { endpoint, clock, now } = options
  const findings: Finding[] = []
  const end = clock() + WHOLE
  const stepTime = (): number => Math.max(1, Math.min(STEP, end - clock()))
  const inspectAt = (address: string): Promise<Inspected> =>
    inspectCertificate({ host: endpoint.host, address, port: endpoint.port, limit: stepTime(), clock })
  const endEarly = (why: string): CheckedBackend => {
    const rest = order.slice(order.indexOf(findings.at(-1)?.name ?? 'backend-name') + 1)
    const reason = `not tried: ${why}`
    return {
      findings: [...findings, ...rest.map((name) => findingsOf(name).skipped(reason))],
      answered: false,
      reading: undefined,
    }
  }

  const { finding, addresses } = await lookUp(endpoint.host, STEP, clock)
  findings.push(finding)
  if (addresses.length === 0) return endEarly('the name has no address')

  const limit = stepTime()
  const tried = await Promise.all(
    addresses.map(async (address) => ({
      address,
      connected: await connectTo({ host: address, port: endpoint.port }, limit, clock),
    })),
  )
  findings.push(checkConnection(endpoint.port, tried, limit))
  const alive = tried.filter(({ connected }) => connected.kind === 'connected').map(({ address }) => address)
  if (alive.length === 0) return endEarly('there is no connection')

  if (endpoint.protocol === 'http:') {
    findings.push(findingsOf('backend-certificate').skipped('none: BACKEND_URL says http://'))
  } else {
    const certificates = await Promise.all(
      alive.map(async (address) => checkCertificate(endpoint.host, await inspectAt(address), now())),
    )
    const worst = certificates.find(({ result }) => result === 'failed')
    const chosen = worst ?? certificates.find(({ result }) => result !== 'ok') ?? certificates[0]
    if (chosen !== undefined) findings.push(chosen)
    if (worst !== undefined) return endEarly('the gate would not shake hands')
  }

  const asked = await askSeveral(options, end)
  const [first] = asked
  if (first === undefined) return endEarly('no time is left')
  const firstStatus = first.kind === 'answered' ? first.reply.status : undefined
  const isUnreadable = first.kind === 'unavailable' || firstStatus === 400
  const speaksTls =
    endpoint.protocol === 'http:' &&
    isUnreadable &&
    (await inspectAt(alive[0] ?? endpoint.host)).kind === 'shown'
  const answer = checkAnswer(first, {
    limit: limitOf(options),
    unavailableStatus: options.unavailableStatus,
    hasPassword: endpoint.authorization !== undefined,
    speaksTls,
  })
  findings.push(answer)
  if (answer.result === 'failed') {
    return { ...endEarly('there is no answer that could be a verdict'), answered: firstStatus !== undefined }
  }
  const { middleware, rechecks, deadline } = options
  findings.push(
    checkRedirect(first, endpoint.name),
    checkPath({ middleware, path: endpoint.path, status: firstStatus, rechecks }),
    checkToken(first),
    checkLatency(asked, deadline),
  )
  return { findings, answered: true, reading: readClock(endpoint.name, asked, now()) }
}

function limitOf({ deadline }: CheckBackendOptions): number {
  return Math.min(PATIENCE, deadline)
}

async function askSeveral(options: CheckBackendOptions, end: number): Promise<Asked[]> {
  const { endpoint, tokenParam, clock } = options
  const invent = (): string => randomBytes(8).toString('hex')
  const asker = createAsker({ endpoint, tokenParam, invent, clock, deadline: limitOf(options) })
  const asked: Asked[] = []
  const enough = Math.min(clock() + QUESTIONS_TIME, end)
  try {
    while (asked.length < QUESTIONS && (asked.length === 0 || clock() < enough)) {
      const one = await asker.ask(Math.min(limitOf(options), end - clock()))
      asked.push(one)
      if (one.kind === 'unavailable') break
    }
  } finally {
    await asker.close()
  }
  return asked
}

/** Reads the clock from the last answer, which is the newest. */
function readClock(backend: string, asked: readonly Asked[], now: number): ClockReading | undefined {
  const last = asked.at(-1)
  const theirs = last?.kind === 'answered' ? Date.parse(headerOf(last.reply, 'date') ?? '') : Number.NaN
  return Number.isNaN(theirs) ? undefined : { backend, ahead: now - theirs }
}
