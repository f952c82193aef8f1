// npm run kick-off [-- --viewers 20000 --seconds 5 --old FOLDER --cold]: a match begins, and all come at
// once, through the real nginx with the shipped snippets, to a backend that takes 10 ms. The same with a bare
// process in the gate's place (m), and with the gate of another checkout (o). With --cold all processes were
// just started. Ends with 1 when a bound is broken.

import { parseArgs } from 'node:util'
import { createOldAltaAuth } from './contenders/alta-auth-old.ts'
import { altaAuthUnix } from './contenders/alta-auth-unix.ts'
import { bareAsker } from './contenders/bare-node.ts'
import type { Contender } from './contenders/contender.ts'
import { type Crowd, crowds } from './crowds.ts'
import { brokenBounds, kickOffTable, refusals } from './judge-kick-off.ts'
import { runInScope } from './run-in-scope.ts'
import { type KickOff, PLAYING, runKickOff } from './run-kick-off.ts'
import { createScope, type OwnScope } from './scope.ts'
import { openStage } from './stage.ts'

const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '5' },
    old: { type: 'string' },
    cold: { type: 'boolean', default: false },
  },
})
const { cold } = values
const options = { viewers: Number(values.viewers), seconds: Number(values.seconds), cold }

const differences = {
  /** Milliseconds. */
  backendTime: 10,
  /** Of each nginx worker: enough for all who wait, so that the gate's own answers are seen. */
  connections: 16_384,
  /** 4,000 questions a second of 10 ms are 40 at a time, and more while the gate itself is busy. */
  settings: { BACKEND_CONCURRENCY: '256' },
  /** Tells the generator why a viewer is refused. */
  location: 'add_header X-Auth-Reason $alta_auth_reason always;',
}

/** All processes are new for each crowd, so that none has opened its connections before. */
async function meet(outer: OwnScope, contender: Contender, crowd: Crowd): Promise<KickOff> {
  const scope = createScope()
  outer.after(() => scope.end())
  const { entrants } = await openStage(scope, [contender], differences)
  const [entrant] = entrants
  if (entrant === undefined) throw new Error('nothing was started')
  const kickOff = await runKickOff(entrant, crowd, options)
  await scope.end()
  return kickOff
}

const write = (text: string): void => void process.stdout.write(`${text}\n`)

await runInScope(async (scope) => {
  const older = values.old === undefined ? [] : [createOldAltaAuth(values.old)]
  write(
    `${options.viewers} new viewers come within ${options.seconds} s; those who play already ask ${PLAYING} times a second.`,
  )
  for (const crowd of crowds) {
    const bare = await meet(scope, bareAsker, crowd)
    const results = [{ ...bareAsker, kickOff: bare }]
    for (const contender of [...older, altaAuthUnix])
      results.push({ ...contender, kickOff: await meet(scope, contender, crowd) })
    write(`\n${crowd.name}:\n\n${kickOffTable(results)}`)
    for (const { letter, kickOff } of results) {
      for (const [what, count] of refusals(kickOff)) write(`${letter}: ${count} ${what}`)
      const broken = letter === 'm' ? [] : brokenBounds(kickOff, bare)
      if (letter !== 'm') write(`${letter}: ${broken.join('; ') || 'all bounds hold'}`)
      if (letter === 'h' && broken.length > 0) process.exitCode = 1
    }
  }
})
