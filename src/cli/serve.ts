import { isatty } from 'node:tty'
import { setFlagsFromString } from 'node:v8'
import { inheritedSocket } from '../config/inherited-socket.ts'
import type { Environment, Settings } from '../config/read-settings.ts'
import { startWarnings } from '../config/start-warnings.ts'
import { ListenError } from '../listen.ts'
import { createLog } from '../log/log.ts'
import { createLogLine } from '../log/log-line.ts'
import { createLogOutput } from '../log/log-output.ts'
import { createLogStream } from '../log/log-stream.ts'
import { createService } from '../service/service.ts'
import { ENDED, FAILED } from './exit-codes.ts'
import { limitHeapGrowth } from './heap-growth.ts'

const STDOUT = 1

/** Milliseconds in which the last lines of the log are written. */
const LAST_LINES = 100

/**
 * CHANNEL_PATTERN is matched against paths that clients choose. Where backtracking would take too long, V8
 * starts again with its linear engine, if the pattern allows that (`isLinear`).
 */
const LINEAR_PATTERNS = '--enable-experimental-regexp-engine-on-excessive-backtracks'

/** Runs the service until a signal ends it. The exit code says how it ended. */
export async function serve(given: Settings, environment: Environment): Promise<void> {
  limitHeapGrowth()
  setFlagsFromString(LINEAR_PATTERNS)
  // Node writes its own warnings there. A reader that has gone away, or a full disk, is no reason to stop.
  process.stderr.on('error', () => {})
  const inherited = inheritedSocket(environment, process.pid)
  const settings = inherited === undefined ? given : { ...given, listen: inherited }
  const looks = { format: settings.logFormat, colour: isatty(STDOUT) && !environment['NO_COLOR'] }
  const log = createLog({
    level: settings.logLevel,
    ...looks,
    stream: createLogStream(createLogOutput(STDOUT), createLogLine(looks)),
  })
  for (const warning of startWarnings(settings, environment, process.pid)) log.warn(warning)

  const service = createService(settings, log)

  let stopping = false
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return
    stopping = true
    log.info('stopping', { signal })
    await service.stop()
    log.info('stopped')
    process.exitCode = ENDED
    // What still keeps the event loop alive has had its time.
    setTimeout(() => process.exit(ENDED), LAST_LINES).unref()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('uncaughtException', (error) => {
    log.error('uncaught exception', { error: error.stack })
    setTimeout(() => process.exit(FAILED), LAST_LINES)
  })

  try {
    await service.start()
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    process.stderr.write(`alta-auth: ${error.message}\n`)
    setTimeout(() => process.exit(FAILED), LAST_LINES)
  }
}
