// A Docker daemon with the wanted base images, for as long as the tests need it. Nothing is left running.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { giveUp, root, say } from './prepare.mjs'

/**
 * Milliseconds: to install Docker and make the stand-ins on a slow machine; for a test file; to end a daemon.
 */
const PREPARING = 900_000
const TESTING = 600_000
const ENDING = 30_000

const folder = process.env['BASE_IMAGES_DIR'] ?? '/var/tmp/base-images'

/**
 * Runs test files of node:test at once, with `DOCKER_HOST` set, and ends with their exit code.
 * @param {readonly string[]} images public base images
 * @param {readonly string[]} files paths below the repository
 * @returns {Promise<never>}
 */
export async function testWithDocker(images, files) {
  const daemonBefore = runningDaemon()
  say('preparing Docker and base images (tools/base-images)')
  const prepared = spawnSync(join(root, 'tools', 'base-images'), images, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    timeout: PREPARING,
  })
  const host = prepared.stdout?.trim()
  const daemon = runningDaemon()
  const isOurs = daemon !== undefined && daemon !== daemonBefore
  if (prepared.status !== 0) {
    if (isOurs) await endDaemon(daemon)
    giveUp(`the base images could not be prepared: see above, or have Docker pull ${images.join(' ')} first.`)
  }

  // Ctrl-C reaches the tests, too. This process waits for them, and then cleans up.
  process.on('SIGINT', () => {})
  const name = `alta-auth-test-${process.pid}`
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_TEST_NAME: name }
  const tests = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--test',
      '--test-reporter=spec',
      `--test-timeout=${TESTING}`,
      // Each waits for containers most of the time.
      `--test-concurrency=${files.length}`,
      ...files,
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env },
  )
  process.on('SIGTERM', () => tests.kill('SIGTERM'))
  const code = await new Promise((resolve) => tests.on('exit', resolve))
  removeAll(name, env)
  if (isOurs) await endDaemon(daemon)
  else if (daemonBefore === undefined) removeStandIns(env)
  process.exit(typeof code === 'number' ? code : 1)
}

/** The process id of a daemon that tools/base-images has started, in this run or an earlier one. */
function runningDaemon() {
  const file = join(folder, 'dockerd.pid')
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8'))
  // The kernel may have given the number to another process meanwhile, which must not be ended.
  const name = `/proc/${pid}/comm`
  return existsSync(name) && readFileSync(name, 'utf8').trim() === 'dockerd' ? pid : undefined
}

/**
 * @param {number} pid
 */
async function endDaemon(pid) {
  process.kill(pid, 'SIGTERM')
  const deadline = performance.now() + ENDING
  while (runningDaemon() === pid && performance.now() < deadline) await delay(50)
  if (runningDaemon() === pid) giveUp(`the Docker daemon (process ${pid}) does not end: kill it.`)
}

/**
 * Removes what interrupted tests have left.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
function removeAll(name, env) {
  const lists = /** @type {const} */ ([
    ['container', 'ls', '--all', '--filter', `name=${name}`],
    ['network', 'ls', '--filter', `name=${name}`],
    ['volume', 'ls', '--filter', `name=${name}`],
    ['image', 'ls', '--filter', `reference=${name}*`],
  ])
  for (const [kind, ...list] of lists) {
    const found = spawnSync('docker', [kind, ...list, '--quiet'], { encoding: 'utf8', env }).stdout ?? ''
    const ids = found.split('\n').filter((id) => id !== '')
    if (ids.length > 0) spawnSync('docker', [kind, 'rm', '--force', ...ids], { stdio: 'ignore', env })
  }
}

/**
 * In the machine's own Docker no stand-in may stay: somebody could take it for the real image.
 * @param {NodeJS.ProcessEnv} env
 */
function removeStandIns(env) {
  const list = ['image', 'ls', '--filter', 'label=stand-in=yes', '--format', '{{.Repository}}:{{.Tag}}']
  const found = spawnSync('docker', list, { encoding: 'utf8', env }).stdout ?? ''
  const tags = found.split('\n').filter((tag) => tag !== '' && !tag.includes('<none>'))
  if (tags.length > 0) spawnSync('docker', ['image', 'rm', ...tags], { stdio: 'ignore', env })
}
