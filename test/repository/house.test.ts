import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const src = join(root, 'src')

/** Which rooms each room may import from; itself always. Read from top to bottom: imports go down only. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  main: ['cli', 'config', 'package'],
  cli: ['config', 'service', 'check', 'explain', 'session', 'listen', 'log'],
  service: [
    ...[
      'config',
      'admin',
      'fleet',
      'webhook',
      'metrics',
      'explain',
      'gate',
      'decision',
      'backend',
      'session',
      'limit',
      'state',
      'log',
    ],
    ...['address', 'listen', 'timer', 'verdict', 'subrequest', 'package'],
  ],
  check: [
    'config',
    'backend',
    'client',
    'session',
    'state',
    'listen',
    'log',
    'verdict',
    'subrequest',
    'package',
  ],
  config: [
    'backend',
    'client',
    'decision',
    'limit',
    'session',
    'state',
    'address',
    'listen',
    'log',
    'verdict',
    'subrequest',
  ],
  admin: [
    ...[
      'explain',
      'fleet',
      'metrics',
      'decision',
      'limit',
      'backend',
      'session',
      'state',
      'address',
      'reason-sentences',
    ],
    ...['verdict', 'subrequest'],
  ],
  webhook: ['client', 'session', 'log', 'verdict'],
  metrics: ['decision', 'backend', 'session', 'state', 'verdict'],
  explain: [
    'limit',
    'gate',
    'decision',
    'backend',
    'session',
    'state',
    'reason-sentences',
    'verdict',
    'subrequest',
  ],
  gate: ['decision', 'session', 'address', 'verdict', 'subrequest'],
  decision: ['session', 'verdict', 'subrequest'],
  backend: ['client', 'log', 'address', 'timer', 'verdict', 'subrequest'],
  client: ['verdict', 'subrequest'],
  limit: ['decision', 'session', 'state', 'verdict', 'subrequest'],
  fleet: ['decision', 'state'],
  state: ['decision', 'address', 'session', 'log', 'verdict', 'subrequest'],
  session: ['address', 'verdict', 'subrequest'],
  log: ['decision', 'session', 'verdict', 'subrequest'],
  address: [],
  timer: [],
  listen: [],
  package: [],
  'reason-sentences': ['verdict'],
  verdict: [],
  subrequest: [],
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

/** The room of a file below src: its folder, or its own name on the top floor. */
function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : file.replace(/\.ts$/, '')
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => {
    return relative(src, resolve(dirname(join(src, file)), match[1] ?? ''))
  })
}

describe('the house', () => {
  for (const file of files) {
    test(`imports go down only: ${file}`, () => {
      const room = roomOf(file)
      const allowed = mayImport[room]
      assert.ok(allowed !== undefined, `${room} is a room that this test does not know`)
      for (const imported of importsOf(file)) {
        const target = roomOf(imported)
        assert.ok(target === room || allowed.includes(target), `${file} imports ${imported}`)
      }
    })
  }

  test('no room is allowed to import one that may import it back', () => {
    const reaches = (from: string, to: string): boolean =>
      (mayImport[from] ?? []).some((next) => next === to || reaches(next, to))
    for (const room of Object.keys(mayImport)) assert.equal(reaches(room, room), false, room)
  })

  test('there is no drawer', () => {
    for (const file of files)
      assert.doesNotMatch(file, /(?:^|\/)(?:index|utils?|types|helpers?|common|misc)\.ts$/)
  })
})

/** The other parts, and what of the rest each may import. Only tests import from these parts. */
const partsMayImport: Readonly<Record<string, readonly string[]>> = {
  bench: ['src', 'test/support'],
  demo: [],
  tools: ['src'],
}

function importsFrom(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(root, resolve(dirname(join(root, file)), path)),
  )
}

const parts = Object.entries(partsMayImport).flatMap(([part, allowed]) =>
  readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs)$/.test(name))
    .map((name) => ({ file: join(part, name), allowed: [part, ...allowed] })),
)

describe('bench, demo and tools', () => {
  test('import only their own files and what they may of the rest', () => {
    for (const { file, allowed } of parts) {
      for (const imported of importsFrom(file))
        assert.ok(
          allowed.some((folder) => imported.startsWith(`${folder}/`)),
          `${file} imports ${imported}`,
        )
    }
  })

  test('have no circle of imports, not even one of types', () => {
    const done = new Set<string>()
    const visit = (file: string, way: readonly string[]): void => {
      assert.ok(!way.includes(file), `${[...way.slice(way.indexOf(file)), file].join(' → ')}`)
      if (done.has(file) || !parts.some((one) => one.file === file)) return
      for (const imported of importsFrom(file)) visit(imported, [...way, file])
      done.add(file)
    }
    for (const { file } of parts) visit(file, [])
  })
})
