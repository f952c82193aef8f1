import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './child.ts'
import { root } from './documentation/pages.ts'
import { findFreePort } from './free-port.ts'
import { get } from './http-get.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

export interface PrometheusOptions {
  /** The admin port of the gate. */
  readonly target: number
  /** Uncomments the lines of the shipped file for a token. */
  readonly adminToken?: string
}

/** One series of an answer and the values it had. */
export interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
}

export interface Rule {
  readonly name: string
  readonly query: string
  readonly duration: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'inactive' | 'pending' | 'firing'
  readonly health: 'ok' | 'err' | 'unknown'
  readonly lastError?: string
}

export interface Prometheus {
  /** What a panel would show of the last half minute. @throws with Prometheus's own words */
  range(query: string): Promise<readonly Found[]>
  rules(): Promise<readonly Rule[]>
  /** Whether its only target is up; undefined before the first scrape. */
  isUp(): Promise<boolean | undefined>
}

/** In place of the shipped 15 seconds. */
const INTERVAL = '500ms'

/** The real Prometheus with the shipped configuration and rules, but with short intervals. */
export async function startPrometheus(
  scope: Scope,
  { target, adminToken }: PrometheusOptions,
): Promise<Prometheus> {
  const folder = makeTemporaryFolder(scope)
  const at = (name: string): string => join(folder, name)
  cpSync(join(root, 'monitoring/alerts.yml'), at('alerts.yml'))
  let configuration = readFileSync(join(root, 'monitoring/prometheus.yml'), 'utf8')
    .replaceAll('15s', INTERVAL)
    .replace('127.0.0.1:9181', `127.0.0.1:${target}`)
  if (adminToken !== undefined) {
    writeFileSync(at('alta-auth.token'), `${adminToken}\n`, { mode: 0o600 })
    configuration = configuration
      .replace(/^( *)#(authorization:)$/m, '$1$2')
      .replace(/^( *)#( +credentials_file:) \S+$/m, `$1$2 ${at('alta-auth.token')}`)
  }
  writeFileSync(at('prometheus.yml'), configuration)
  const port = await findFreePort()
  const child = startChild(scope, 'prometheus', [
    `--config.file=${at('prometheus.yml')}`,
    `--storage.tsdb.path=${at('data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ])
  const isReady = async (): Promise<boolean> => {
    if (child.process.exitCode !== null) throw new Error(`Prometheus ended:\n${child.output()}`)
    return get({ port }, '/-/ready').then(
      ({ status }) => status === 200,
      () => false,
    )
  }
  await until('Prometheus to be ready', isReady, 60_000)

  const ask = async <Data>(
    path: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Data> => {
    const { body } = await get({ port }, `/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const answer = JSON.parse(body) as { status: string; error?: string; data: Data }
    if (answer.status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${answer.error}`)
    return answer.data
  }

  return {
    async range(query) {
      const end = Date.now() / 1000
      const { result } = await ask<{
        result: readonly { metric: Found['metric']; values: readonly (readonly [number, string])[] }[]
      }>('query_range', { query, start: String(end - 30), end: String(end), step: '1' })
      return result.map(({ metric, values }) => ({
        metric,
        values: values.map(([, value]) => Number(value)),
      }))
    },
    async rules() {
      const { groups } = await ask<{ groups: readonly { rules: readonly Rule[] }[] }>('rules')
      return groups.flatMap(({ rules }) => rules)
    },
    async isUp() {
      const { activeTargets } = await ask<{ activeTargets: readonly { health: string }[] }>('targets')
      const health = activeTargets[0]?.health
      return health === 'up' ? true : health === 'down' ? false : undefined
    },
  }
}
