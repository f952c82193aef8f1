import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { askGate } from '../support/ask-gate.ts'
import { type Backend, startBackend, status } from '../support/backend.ts'
import { type Gate, startGate } from '../support/gate.ts'
import { type Attempt, patientTest } from '../support/patient-test.ts'
import { watchStalls } from '../support/stalls.ts'
import { until } from '../support/until.ts'

const SILENT: Backend['answer'] = () => {}

/** A gate over backends that answer so; `refused` stands for an address where nobody listens. */
async function startGateOver(
  t: Attempt,
  mode: string,
  answers: readonly (Backend['answer'] | 'refused')[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ gate: Gate; backends: readonly Backend[] }> {
  const backends: Backend[] = []
  const urls: string[] = []
  for (const answer of answers) {
    if (answer === 'refused') {
      urls.push('http://127.99.9.9:9/auth')
      continue
    }
    const backend = await startBackend(t)
    backend.answer = answer
    backends.push(backend)
    urls.push(backend.url)
  }
  const settings = { BACKEND_URL: urls.join(', '), BACKEND_MODE: mode, BACKEND_TIMEOUT: '1s' }
  return { gate: await startGate(t, { ...settings, ...more }), backends }
}

const countsOf = (backends: readonly Backend[]): number[] => backends.map(({ asked }) => asked.length)

describe('failover over HTTP', () => {
  patientTest('the deny of the first counts; the second, which would allow, is not asked', async (t) => {
    const { gate, backends } = await startGateOver(t, 'failover', [status(403), status(200)])
    assert.equal((await askGate(gate.port)).reason, 'backend-403')
    assert.deepEqual(countsOf(backends), [1, 0])
  })

  patientTest('a 500 of the first is a deny; the second is not asked', async (t) => {
    const { gate, backends } = await startGateOver(t, 'failover', [status(500), status(200)])
    assert.equal((await askGate(gate.port)).reason, 'backend-500')
    assert.deepEqual(countsOf(backends), [1, 0])
  })

  patientTest('a status that counts as unavailable hands the question on', async (t) => {
    const more = { UNAVAILABLE_STATUS: '503' }
    const { gate, backends } = await startGateOver(t, 'failover', [status(503), status(404)], more)
    assert.equal((await askGate(gate.port)).reason, 'backend-404')
    assert.deepEqual(countsOf(backends), [1, 1])
  })

  patientTest('each backend is asked the same, with the same session id', async (t) => {
    const { gate, backends } = await startGateOver(t, 'failover', [SILENT, status(200)])
    const { sessionId } = await askGate(gate.port, { uri: '/a/index.m3u8?token=1&b=%41' })
    const [first, second] = backends.map(({ asked }) => asked[0])
    assert.equal(first?.target, second?.target)
    assert.deepEqual({ ...first?.headers, host: '' }, { ...second?.headers, host: '' })
    assert.equal(second?.headers['X-Session-Id'], sessionId)
  })
})

describe('any over HTTP', () => {
  const quickly = async (gate: Gate, reason: string): Promise<void> => {
    const stalls = watchStalls()
    const answer = await askGate(gate.port)
    assert.equal(answer.reason, reason)
    assert.ok(answer.took < 500 + stalls(), `answered after ${answer.took} ms`)
  }

  patientTest('the first 200 wins without waiting for a slow backend', async (t) => {
    const { gate } = await startGateOver(t, 'any', [SILENT, status(200), SILENT])
    await quickly(gate, 'backend-200')
  })

  patientTest('a 200 that comes after a deny wins', async (t) => {
    const late: Backend['answer'] = (_asked, response) => void setTimeout(() => response.end(), 150)
    const { gate } = await startGateOver(t, 'any', [status(403), late])
    await quickly(gate, 'backend-200')
  })

  patientTest('a 200 wins over a backend that refuses the connection', async (t) => {
    const { gate } = await startGateOver(t, 'any', ['refused', status(200)])
    await quickly(gate, 'backend-200')
  })

  patientTest(
    'a deny beside a backend that refuses the connection is no deny: the default action',
    async (t) => {
      const { gate } = await startGateOver(t, 'any', ['refused', status(403)], { DEFAULT_ACTION: 'allow' })
      await quickly(gate, 'unavailable-refused')
    },
  )

  patientTest('deny when all have answered otherwise', async (t) => {
    const { gate, backends } = await startGateOver(t, 'any', [status(403), status(404), status(500)], {
      DEFAULT_ACTION: 'allow',
    })
    const answer = await askGate(gate.port)
    assert.deepEqual([answer.verdict, answer.source], ['deny', 'backend'])
    assert.deepEqual(countsOf(backends), [1, 1, 1])
  })

  for (const defaultAction of ['allow', 'deny']) {
    patientTest(`a deny and a silent one: the default action ${defaultAction} at the deadline`, async (t) => {
      const { gate } = await startGateOver(t, 'any', [status(403), SILENT], { DEFAULT_ACTION: defaultAction })
      const stalls = watchStalls()
      const { verdict, source, reason, took } = await askGate(gate.port)
      assert.deepEqual([verdict, source, reason], [defaultAction, 'default', 'unavailable-timeout'])
      assert.ok(took > 980 && took < 1250 + stalls(), `answered after ${took} ms`)
    })
  }

  patientTest(
    'a backend whose question became needless answers in peace, and is not called unavailable',
    async (t) => {
      let ended = ''
      const slow: Backend['answer'] = (_asked, response) => {
        response.on('finish', () => {
          ended = 'answered'
        })
        response.on('close', () => {
          ended ||= 'dropped'
        })
        setTimeout(() => response.writeHead(403).end(), 300)
      }
      const { gate } = await startGateOver(t, 'any', [slow, status(200)])
      await quickly(gate, 'backend-200')
      await until('the needless question to end', () => ended !== '')
      assert.equal(ended, 'answered')
      assert.doesNotMatch(gate.logText(), /backend unavailable/)
    },
  )
})
