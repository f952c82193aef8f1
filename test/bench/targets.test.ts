import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Summary } from '../../bench/figures.ts'
import { pairTable } from '../../bench/pair-table.ts'
import { judge } from '../../bench/targets.ts'

const summary = (perSecond: number, gate: number, runs: Summary['runs'] = []): Summary => ({
  ...{ perSecond, p50: 1, p99: 2, cpu: { nginx: 1, gate, backend: 1 } },
  runs,
})

describe('the targets of the bench', () => {
  const works = {
    hits: { h: summary(850, 1.4), n: summary(1_000, 1), i: summary(1_100, 0), c: summary(1_000, Number.NaN) },
    misses: { h: summary(590, 2.1), m: summary(1_000, 1) },
  }
  const met = new Map(judge({ works }).map((target) => [target.figure.split(' (')[0], target]))

  test('compare alta-auth with what it is meant to be compared with', () => {
    assert.equal(met.get('hits, h ÷ n')?.met, true)
    assert.equal(met.get('hits, CPU of the gate, h ÷ n')?.met, true)
    assert.equal(met.get('hits, i ÷ c')?.met, true)
    assert.equal(met.get('misses, h ÷ m')?.met, false)
    assert.equal(met.get('misses, CPU of the gate, h ÷ m')?.met, false)
  })

  test('are not met by what was not measured', () => {
    const missing = met.get('hits, i ÷ d')
    assert.equal(missing?.value, undefined)
    assert.equal(missing?.met, false)
  })
})

test('old and new are compared round by round', () => {
  const runs = (...rates: number[]): Summary['runs'] =>
    rates.map((perSecond) => ({
      ...{ requests: 1, perSecond, p50: 1, p99: 2, refused: 0 },
      cpu: { nginx: 1, gate: 1_000 / perSecond, backend: 1 },
    }))
  const works = {
    hits: { o: summary(0, 0, runs(100, 200, 400)), h: summary(0, 0, runs(110, 240, 400)) },
  }
  const [, , rates = '', cpu = ''] = pairTable({ works }).split('\n')
  assert.match(rates, /\| hits\/s +\| +200 \| +240 \| +1\.10 \| +1\.00 to 1\.20 \|/)
  assert.match(cpu, /\| hits, CPU of the gate +\| +5\.00 \| +4\.17 \| +0\.91 \| +0\.83 to 1\.00 \|/)
})
