import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isInProcess, programsFor, programsOf } from '../../tools/test-needs.mjs'
import { makeTemporaryFolder } from '../support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a test file of this text by `npm test -- FILE`. */
function runFile(t: TestContext, text: string): { code: number | null; said: string } {
  const file = join(makeTemporaryFolder(t), 'one.test.mjs')
  writeFileSync(file, `import { describe, test } from 'node:test'\n${text}`)
  // Not a part of this run of tests.
  const { NODE_TEST_CONTEXT: _context, TEST_RETRIES: _retries, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/test.mjs', file], {
    cwd: root,
    encoding: 'utf8',
    env: { ...env, TEST_PATIENCE: '5' },
  })
  return { code: status, said: `${stdout}${stderr}` }
}

describe('a test that hangs ends the run, and its name is told:', { concurrency: true }, () => {
  const forms = {
    'a promise that never resolves': `setInterval(() => {}, 1_000)
describe('the promises', () => { test('the viewer comes back', () => new Promise(() => {})) })`,
    'a loop that never ends': `describe('the promises', () => { test('the viewer comes back', () => { for (;;); }) })`,
  }
  for (const [what, text] of Object.entries(forms)) {
    test(what, (t) => {
      const { code, said } = runFile(t, `test('another', () => {})\n${text}`)
      assert.notEqual(code, 0)
      assert.match(said, /No test began or ended for 5 s.*\n.*the viewer comes back/)
      assert.doesNotMatch(said, /Running:\n.*another/)
    })
  }
})

describe('attempts that were repeated', () => {
  const repeating = (times: number, pauses = times): string => `import { appendFileSync } from 'node:fs'
test('busy', () => { for (let n = 0; n < ${times}; n++) appendFileSync(process.env.TEST_RETRIES, \`the deadline: kept for \${n % ${pauses}} ms\\n\`) })`

  test('are told', (t) => {
    const { code, said } = runFile(t, repeating(1))
    assert.equal(code, 0, said)
    assert.match(said, /the deadline: kept/)
  })

  test('count once for a pause that many tests have met', (t) => {
    const { code, said } = runFile(t, repeating(100, 8))
    assert.equal(code, 0, said)
  })

  test('fail the run when they are many, which tells whose they were', (t) => {
    const { code, said } = runFile(t, repeating(100))
    assert.equal(code, 1, said)
    assert.match(said, /the deadline: kept[\s\S]*100 attempts were repeated/)
  })
})

describe('what a test file needs', () => {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `test/${name}`)
  const programs = Object.assign({}, ...Object.values(programsOf)) as Readonly<Record<string, string>>

  test('is nothing where all is in the process', () => {
    assert.deepEqual(programsFor(['test/session/scope.test.ts']), {})
    assert.ok(isInProcess('test/session/scope.test.ts'))
  })

  test('are the programs of what it imports', () => {
    assert.deepEqual(programsFor(['test/nginx/riding.test.ts']), { nginx: 'nginx-light', openssl: 'openssl' })
    assert.ok(!isInProcess('test/nginx/riding.test.ts'))
    assert.deepEqual(Object.keys(programsFor(['test/long/live-page/use.test.ts'])), ['chromium'])
  })

  test('is the whole machine below test/long/ alone', () => {
    const alone = files.filter((file) => file.endsWith('.alone.test.ts'))
    assert.deepEqual(
      alone.filter((file) => !file.startsWith('test/long/')),
      [],
    )
  })

  test('is known of every file that starts a program by its name', () => {
    const starts = /\b(?:spawn|spawnSync|execFile|execFileSync|startChild|run)\(\s*(?:\w+,\s*)?'([\w-]+)'/g
    for (const file of files) {
      for (const [, program = ''] of readFileSync(join(root, file), 'utf8').matchAll(starts)) {
        if (program in programs) assert.ok(program in programsFor([file]), `${file}: ${program}`)
      }
    }
  })

  test('is written at files that are there', () => {
    assert.deepEqual(
      Object.keys(programsOf).filter((file) => !existsSync(join(root, file))),
      [],
    )
  })
})
