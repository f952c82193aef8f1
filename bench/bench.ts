// npm run bench: compares alta-auth with other ways to authorize viewers in nginx. Progress goes to stderr,
// the tables to stdout.

import { readOptions } from './read-options.ts'
import { comparison, cpuTable, targetTable } from './result-tables.ts'
import { runBench } from './run-bench.ts'
import { createScope } from './scope.ts'
import { writeDocuments } from './write-documents.ts'

const options = readOptions(process.argv.slice(2))
if ('help' in options) {
  ;(options.code === 0 ? process.stdout : process.stderr).write(options.help)
  process.exit(options.code)
}

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
  const figures = await runBench(scope, options)
  const { works, latency } = figures
  const tables = [
    ...(Object.keys(works).length > 0 || latency ? [comparison(options.contenders, figures)] : []),
    ...(Object.keys(works).length > 0 ? [cpuTable(options.contenders, figures)] : []),
    targetTable(figures),
  ]
  process.stdout.write(`\n${tables.join('\n\n')}\n`)
  if (options.write) {
    const written = writeDocuments(figures, options)
    process.stderr.write(`written: ${written.join(', ')}\n`)
  }
} catch (error) {
  // After Ctrl-C failing parts are no news.
  if (!ending) process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await scope.end()
}
