#!/usr/bin/env node
import { isatty } from 'node:tty'
import { config as readDotenv } from 'dotenv'
import { inheritedSocket } from './config/inherited-socket.ts'
import { readSettings } from './config/read-settings.ts'
import { startWarnings } from './config/start-warnings.ts'
import { ListenError } from './listen.ts'
import { createService } from './service.ts'
import { createLog } from './watch/log.ts'
import { createLogOutput } from './watch/log-output.ts'
import { createLogStream } from './watch/log-stream.ts'

/** Exit codes: 0 ended as asked, 1 could not start or broke, 2 the settings are not right. */
const FAILED = 1
const BAD_SETTINGS = 2

const STDOUT = 1

readDotenv({ quiet: true })
const result = readSettings(process.env)
if (!result.ok) {
  const count = result.problems.length === 1 ? '1 problem' : `${result.problems.length} problems`
  process.stderr.write(`alta-auth: ${count} in the settings (environment or .env):\n`)
  for (const problem of result.problems) process.stderr.write(`  - ${problem}\n`)
  process.exit(BAD_SETTINGS)
}

const inherited = inheritedSocket(process.env, process.pid)
const settings = inherited === undefined ? result.settings : { ...result.settings, listen: inherited }
const log = createLog({
  level: settings.logLevel,
  format: settings.logFormat,
  colour: isatty(STDOUT) && !process.env['NO_COLOR'],
  stream: createLogStream(createLogOutput(STDOUT)),
})
for (const warning of startWarnings(settings, process.env, process.pid)) log.warn(warning)

const service = createService(settings, log)

let stopping = false
const stop = async (signal: string): Promise<void> => {
  if (stopping) return
  stopping = true
  log.info('stopping', { signal })
  await service.stop()
  log.info('stopped')
  process.exitCode = 0
  // Whatever still holds the event loop open has had its time.
  setTimeout(() => process.exit(0), 100).unref()
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.on('uncaughtException', (error) => {
  log.error('uncaught exception', { error: error.stack })
  setTimeout(() => process.exit(FAILED), 100)
})

try {
  await service.start()
} catch (error) {
  if (!(error instanceof ListenError)) throw error
  process.stderr.write(`alta-auth: ${error.message}\n`)
  process.exit(FAILED)
}
