import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startBackend } from '../support/backend.ts'
import { root } from '../support/documentation/pages.ts'
import { forSuite } from '../support/scope.ts'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'
import { portOf, startValkey } from '../support/valkey.ts'
import { type Ask, startWatchedGate, type WatchedGate, type Way } from '../support/way.ts'

const page = join(root, 'CONTRIBUTING.md')
const MARKED = /(<!-- The way: begin -->\n)(.*)(<!-- The way: end -->\n)/s
/** To write the page takes a minute, as only that looks at the order of the files. */
const isWriting = process.env['WRITE_WAY'] !== undefined
const cure = 'CONTRIBUTING.md differs: run WRITE_WAY=yes npm test -- test/repository/way.test.ts'

/** How many files and functions a request may pass. Lower them where the way becomes shorter. */
const budgets = {
  hit: { files: 22, functions: 52 },
  limitedHit: { files: 23, functions: 53 },
  miss: { files: 54, functions: 171 },
  folder: { files: 72, functions: 240 },
  valkey: { files: 86, functions: 374 },
}

/** Other viewers each time, of which each is a user. */
const miss = (round: string) => ({ userAgent: `miss in ${round}` })

/** A segment of what was allowed a moment ago. */
async function hit(round: string, ask: Ask) {
  const viewer = { userAgent: `hit in ${round}` }
  assert.equal(await ask(viewer), 'backend-200')
  return { ...viewer, uri: '/live/1.ts' }
}

const waysOf = async (gate: WatchedGate) => ({
  hit: await gate.way(hit, isWriting),
  miss: await gate.way(miss, isWriting),
})

describe('the way of a request through dist/main.js', () => {
  const ways = forSuite(async (scope) => {
    const backend = await startBackend(scope)
    backend.answer = ({ headers }, response) => {
      const user = { 'X-UserId': headers['X-Real-Ua'], 'X-Max-Sessions': '2' }
      response.writeHead(200, user).end()
    }
    const valkey = await startValkey(scope)
    const common = { BACKEND_URL: backend.url, CHANNEL_PATTERN: '^/(live)/' }
    const [alone, folder, shared] = await Promise.all([
      startWatchedGate(scope, { ...common, SESSION_LIMIT: 'off', STATE_URL: 'off' }),
      startWatchedGate(scope, {
        ...common,
        SESSION_LIMIT: 'off',
        STATE_URL: `file:${join(makeTemporaryFolder(scope), 'state')}`,
      }),
      startWatchedGate(scope, {
        ...common,
        SESSION_LIMIT: 'newest',
        STATE_URL: `valkey://127.0.0.1:${portOf(valkey.address)}`,
        STATE_SECRET: 'a-secret-of-thirty-two-characters-and-more',
      }),
    ])
    const [ofAlone, ofFolder, ofShared] = await Promise.all([
      waysOf(alone),
      folder.way(miss, isWriting),
      waysOf(shared),
    ])
    return { ...ofAlone, folder: ofFolder, limitedHit: ofShared.hit, valkey: ofShared.miss }
  })

  for (const [name, budget] of Object.entries(budgets)) {
    test(`${name}: no longer than its budget`, (t) => {
      const { files, functions, calls } = ways[name as keyof typeof budgets]
      t.diagnostic(`${files.length} files, ${functions} functions, ${calls} calls`)
      assert.ok(functions <= budget.functions, `${functions} functions`)
      assert.ok(files.length <= budget.files, `${files.length} files: ${files.join(' ')}`)
    })
  }

  test('CONTRIBUTING.md tells it', () => {
    const text = readFileSync(page, 'utf8')
    const [, begin = '', told = '', end = ''] = MARKED.exec(text) ?? []
    const measured = describeWays(ways)
    if (isWriting)
      writeFileSync(
        page,
        text.replace(MARKED, () => `${begin}${measured}${end}`),
      )
    else assert.deepEqual(inAnyOrder(told), inAnyOrder(measured), cure)
  })
})

type Ways = Readonly<Record<keyof typeof budgets, Way>>

/** The paragraphs about the ways. */
function describeWays({ hit, limitedHit, miss, folder, valkey }: Ways): string {
  const listed = (files: readonly string[]): string => files.map((file) => `\`${file}\``).join(', ')
  const beside = ({ files }: Way, other: Way): string =>
    listed(files.filter((file) => !other.files.includes(file)))
  return `A hit passes ${hit.files.length} files, in the order of their first calls: ${listed(hit.files)}. With Valkey and a
limit it passes ${beside(limitedHit, hit)}, too.

A miss without a store and a limit passes ${miss.files.length}: ${listed(miss.files)}.

With a store in a folder it passes ${folder.files.length}; besides ${beside(folder, miss)}.

With Valkey and a limit it passes ${valkey.files.length}; besides ${beside(valkey, miss)}.
`
}

/** Each paragraph with its names in alphabetical order. */
function inAnyOrder(text: string): string[] {
  return text.split('\n').map((line) => {
    const names = line.match(/`[^`]+`/g) ?? []
    return [line.replaceAll(/(?:, )?`[^`]+`/g, ''), ...names.sort()].join(' ')
  })
}
