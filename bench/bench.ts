// npm run bench: compares alta-auth with other ways to authorize viewers in nginx. Progress goes to stderr,
// the tables to stdout.

import { cpus } from 'node:os'
import { createOldAltaAuth } from './contenders/alta-auth-old.ts'
import { isContest } from './figures.ts'
import { pairTable } from './pair-table.ts'
import { readOptions } from './read-options.ts'
import { comparison, cpuTable, targetTable } from './result-tables.ts'
import { runBench } from './run-bench.ts'
import { runInScope } from './run-in-scope.ts'
import { scaleTables } from './scale/scale-tables.ts'
import { scalingText } from './scaling.ts'
import { writeDocuments } from './write-documents.ts'

const given = readOptions(process.argv.slice(2))
if ('help' in given) {
  ;(given.code === 0 ? process.stdout : process.stderr).write(given.help)
  process.exit(given.code)
}
const { old } = given

await runInScope(async (scope) => {
  const options =
    old === undefined ? given : { ...given, contenders: [...given.contenders, createOldAltaAuth(old)] }
  const figures = await runBench(scope, options)
  const { works, latency } = figures
  const tables = [
    ...(Object.keys(works).length > 0 || latency ? [comparison(options.contenders, figures)] : []),
    ...(Object.keys(works).length > 0 ? [cpuTable(options.contenders, figures)] : []),
    ...(isContest(figures) ? [targetTable(figures)] : []),
    ...(figures.scale === undefined ? [] : scaleTables(figures.scale)),
    scalingText(figures, cpus().length),
    ...(old === undefined ? [] : [pairTable(figures)]),
  ]
  process.stdout.write(`\n${tables.filter((text) => text !== '').join('\n\n')}\n`)
  if (options.write) {
    const written = writeDocuments(figures, options)
    process.stderr.write(`written: ${written.join(', ')}\n`)
  }
})
