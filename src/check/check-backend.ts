import { randomBytes } from 'node:crypto'
import type { Endpoint } from '../backend/endpoint.ts'
import type { Middleware } from '../backend/presets.ts'
import { type Asked, createAsker } from './ask-invented.ts'
import { checkAnswer, checkRedirect, checkToken } from './check-answer.ts'
import { checkCertificate } from './check-certificate.ts'
import type { ClockReading } from './check-clock.ts'
import { checkConnection } from './check-connection.ts'
import { checkLatency } from './check-latency.ts'
import type { CheckName } from './check-names.ts'
import { checkPath } from './check-path.ts'
import { connectTo } from './connect-to.ts'
import { type Finding, skipped } from './finding.ts'
import { inspectCertificate } from './inspect-certificate.ts'
import { lookUp } from './look-up.ts'

export interface CheckBackendOptions {
  readonly endpoint: Endpoint
  readonly middleware: Middleware
  readonly tokenParam: string
  /** What one question to it may take, in milliseconds. */
  readonly deadline: number
  readonly unavailableStatus: ReadonlySet<number>
  /** Whether playing sessions are asked about again. */
  readonly rechecks: boolean
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

export interface CheckedBackend {
  readonly findings: readonly Finding[]
  readonly answered: boolean
  /** Undefined when it does not tell its time. */
  readonly reading: ClockReading | undefined
}

/** Milliseconds: for one step, for all questions, and for everything. */
const STEP = 2_500
const QUESTIONS_TIME = 3_000
const WHOLE = 11_000
/** A check waits no longer for an answer, whatever BACKEND_TIMEOUT says. */
const PATIENCE = 4_000
const QUESTIONS = 7

const order: readonly CheckName[] = [
  'backend-name',
  'backend-connection',
  'backend-certificate',
  'backend-answer',
  'backend-redirect',
  'backend-path',
  'backend-token',
  'backend-latency',
]

/** All steps to one backend, from its name to its speed. What cannot be tried after a failed step is skipped. */
export async function checkBackend(options: CheckBackendOptions): Promise<CheckedBackend> {
  const { endpoint, clock, now } = options
  const findings: Finding[] = []
  const end = clock() + WHOLE
  const stepTime = (): number => Math.max(1, Math.min(STEP, end - clock()))
  const endEarly = (why: string): CheckedBackend => {
    const rest = order.slice(order.indexOf(findings.at(-1)?.name ?? 'backend-name') + 1)
    const reason = `not tried: ${why}`
    return {
      findings: [...findings, ...rest.map((name) => skipped(name, reason))],
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
    findings.push(skipped('backend-certificate', 'none: BACKEND_URL says http://'))
  } else {
    const certificates = await Promise.all(alive.map((address) => inspect(options, address, stepTime())))
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
    (await shakesHands(options, alive[0] ?? endpoint.host, stepTime()))
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
    checkRedirect(first, `${endpoint.protocol}//${endpoint.authority}${endpoint.path}`),
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
  const asker = createAsker({ endpoint, tokenParam, invent: () => randomBytes(8).toString('hex'), clock })
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

function inspectAt({ endpoint, clock }: CheckBackendOptions, address: string, limit: number) {
  return inspectCertificate({ host: endpoint.host, address, port: endpoint.port, limit, clock })
}

async function inspect(options: CheckBackendOptions, address: string, limit: number): Promise<Finding> {
  return checkCertificate(options.endpoint.host, await inspectAt(options, address, limit), options.now())
}

async function shakesHands(options: CheckBackendOptions, address: string, limit: number): Promise<boolean> {
  return (await inspectAt(options, address, limit)).kind === 'shown'
}

/** The last answer is the youngest. */
function readClock(backend: string, asked: readonly Asked[], now: number): ClockReading | undefined {
  const last = asked.at(-1)
  const header = last?.kind === 'answered' ? last.reply.headers['date'] : undefined
  const theirs = Date.parse(typeof header === 'string' ? header : '')
  return Number.isNaN(theirs) ? undefined : { backend, ahead: now - theirs }
}
