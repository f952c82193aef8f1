import { createScope, type OwnScope } from './scope.ts'

/**
 * Runs a program of the bench. Whatever it started ends with it: after an error, which is printed, and after
 * Ctrl-C.
 */
export async function runInScope(run: (scope: OwnScope) => Promise<void>): Promise<void> {
  const scope = createScope()
  let ending = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!ending) process.stderr.write('\nending …\n')
      ending = true
      void scope.end().finally(() => process.exit(130))
    })
  }
  try {
    await run(scope)
  } catch (error) {
    // After Ctrl-C failing parts are no news.
    if (!ending) process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  } finally {
    await scope.end()
  }
}
