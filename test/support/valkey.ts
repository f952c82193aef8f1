import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ValkeyAddress, ValkeySettings } from '../../src/state/valkey/valkey-settings.ts'
import { type Child, startChild } from './child.ts'
import { findFreePort } from './free-port.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

/** redis-server passes the same tests. */
const server = process.env['VALKEY_SERVER'] ?? 'valkey-server'
const sentinel = 'valkey-sentinel'
const READY = /ready to accept/i
const run = promisify(execFile)

export interface ValkeyServer {
  readonly address: ValkeyAddress
  /** Where servers of a cluster talk to each other; 0 without one. */
  readonly bus: number
  readonly folder: string
  /** Sends a command by valkey-cli; resolves with what that prints, without its last line break. */
  cli(...command: readonly string[]): Promise<string>
  /** The same with other parameters in the place of those that name this server. */
  cliFor(parameters: readonly string[]): Promise<string>
  /** From now on it says nothing, but its connections stay. */
  pause(): void
  goOn(): void
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>
  /**
   * Starts it again, with what it has saved; `more` of its configuration.
   * @param isUp what it logs when that is done; by default that it is ready
   */
  restart(more?: readonly string[], isUp?: RegExp): Promise<void>
}

export interface ServerOptions {
  /** On a Unix socket, not on a port. */
  readonly unix?: boolean
  /** More of its configuration, as parameters. */
  readonly more?: readonly string[]
  /** Parameters of valkey-cli that it needs to connect. */
  readonly cli?: readonly string[]
  /** It speaks TLS only. */
  readonly tls?: boolean
}

/** Starts a real server, empty, that saves nothing. It ends with the scope. */
export async function startValkey(scope: Scope, options: ServerOptions = {}): Promise<ValkeyServer> {
  let child: Child | undefined
  // Before its folder is removed, into which it writes.
  scope.after(async () => void (await child?.stop()))
  const folder = makeTemporaryFolder(scope)
  const port = options.unix ? 0 : await findFreePort()
  const path = join(folder, 'valkey.sock')
  const address: ValkeyAddress = options.unix
    ? { kind: 'unix', path }
    : { kind: 'tcp', host: '127.0.0.1', port }
  const where = options.unix
    ? ['--port', '0', '--unixsocket', path]
    : options.tls
      ? ['--port', '0', '--tls-port', String(port)]
      : ['--port', String(port)]
  // A port of its own: 10,000 beyond the other, where it would be, the kernel gives out ports.
  const bus = options.more?.includes('--cluster-enabled') ? await findFreePort() : 0
  const cliWhere = options.unix ? ['-s', path] : ['-p', String(port), ...(options.tls ? ['--tls'] : [])]
  const fixed = [
    '--dir',
    folder,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--repl-diskless-sync-delay',
    '0',
    ...(bus === 0 ? [] : ['--cluster-port', String(bus)]),
  ]
  const cliFor = async (parameters: readonly string[]): Promise<string> => {
    const { stdout } = await run('valkey-cli', [...parameters], { maxBuffer: 64 * 1_048_576 })
    return stdout.replace(/\n$/, '')
  }
  const cli = (...command: readonly string[]): Promise<string> =>
    cliFor([...cliWhere, ...(options.cli ?? []), ...command])
  const start = async (more: readonly string[], isUp: RegExp): Promise<void> => {
    const started = startChild(scope, server, [...where, ...fixed, ...(options.more ?? []), ...more])
    child = started
    await until(`${server} on ${port}`, () => {
      if (started.process.exitCode !== null) throw new Error(`${server}: ${started.output()}`)
      return isUp.test(started.output())
    })
  }
  await start([], READY)
  return {
    address,
    bus,
    folder,
    cli,
    cliFor,
    pause: () => void child?.process.kill('SIGSTOP'),
    goOn: () => void child?.process.kill('SIGCONT'),
    kill: async () => void (await child?.stop('SIGKILL')),
    restart: (more = [], isUp = READY) => start(more, isUp),
  }
}

/** What the operator would set for it. */
export function settingsFor(
  servers: readonly ValkeyServer[],
  more: Partial<ValkeySettings> = {},
): ValkeySettings {
  return {
    mode: { kind: 'single' },
    nodes: servers.map(({ address }) => address),
    tls: false,
    database: 0,
    prefix: 'test:',
    secrets: ['a secret of thirty-two characters'],
    // A busy machine is no slow server.
    timeout: 10_000,
    ...more,
  }
}

/** A server with a replica, and so many Sentinels that watch them under the name `test`. */
export async function startWithSentinels(
  scope: Scope,
  count: number,
): Promise<{ primary: ValkeyServer; replica: ValkeyServer; sentinels: readonly ValkeyAddress[] }> {
  const primary = await startValkey(scope)
  const port = portOf(primary.address)
  const replica = await startValkey(scope, { more: ['--replicaof', `127.0.0.1 ${port}`] })
  await until('the replica is in step', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  )
  const sentinels: ValkeyAddress[] = []
  for (let n = 0; n < count; n += 1) sentinels.push(await startSentinel(scope, port, Math.min(count, 2)))
  return { primary, replica, sentinels }
}

async function startSentinel(scope: Scope, primary: number, quorum: number): Promise<ValkeyAddress> {
  const port = await findFreePort()
  let child: Child | undefined
  // Before its folder is removed, into which it writes.
  scope.after(async () => void (await child?.stop()))
  const folder = makeTemporaryFolder(scope)
  const file = join(folder, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor test 127.0.0.1 ${primary} ${quorum}`,
      'sentinel down-after-milliseconds test 500',
      'sentinel failover-timeout test 3000',
      '',
    ].join('\n'),
  )
  const started = startChild(scope, sentinel, [file])
  child = started
  await until(`${sentinel} on ${port}`, () => started.output().includes('+monitor'))
  return { kind: 'tcp', host: '127.0.0.1', port }
}

const clusterOptions: ServerOptions = {
  more: [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '2000',
    '--cluster-require-full-coverage',
    'no',
  ],
}

/** Three servers of one cluster, a third of the slots each, without replicas. */
export async function startCluster(scope: Scope): Promise<readonly ValkeyServer[]> {
  const servers = await Promise.all([0, 1, 2].map(() => startValkey(scope, clusterOptions)))
  const bounds = [0, 5_461, 10_923, 16_384]
  await Promise.all(
    servers.map(async (server, n) => {
      await server.cli('CLUSTER', 'ADDSLOTSRANGE', String(bounds[n]), String((bounds[n + 1] ?? 0) - 1))
      await server.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(n + 1))
    }),
  )
  await meet(servers)
  return servers
}

/** One more server of a cluster, without a slot. */
export async function addToCluster(scope: Scope, servers: readonly ValkeyServer[]): Promise<ValkeyServer> {
  const server = await startValkey(scope, clusterOptions)
  await meet([...servers, server])
  return server
}

async function meet(servers: readonly ValkeyServer[]): Promise<void> {
  for (const server of servers)
    for (const other of servers)
      if (server !== other)
        await server.cli('CLUSTER', 'MEET', '127.0.0.1', `${portOf(other.address)}`, `${other.bus}`)
  await until('the cluster is whole', async () => {
    const infos = await Promise.all(servers.map((server) => server.cli('CLUSTER', 'INFO')))
    return infos.every(
      (info) => /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${servers.length}\r`),
    )
  })
}

export function portOf(address: ValkeyAddress): number {
  if (address.kind === 'unix') throw new Error(`${address.path} is no port`)
  return address.port
}
