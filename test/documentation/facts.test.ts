import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as exitCodes from '../../src/cli/exit-codes.ts'
import { readSettings } from '../../src/config/read-settings.ts'
import { type SettingName, settingNames, settingsTable } from '../../src/config/settings-table.ts'
import { refusedReasons, sources, unavailableReasons } from '../../src/verdict.ts'
import { readPage, readPages, root, rowsBelow } from '../support/documentation/pages.ts'
import { wordsOf } from '../support/words.ts'

const pages = readPages()
const troubleshooting = readPage('docs/troubleshooting.md').prose

/** Words in capitals that are no settings of ours. */
const foreign = wordsOf(`
  NO_COLOR NODE_EXTRA_CA_CERTS CMCD SIGTERM SIGINT FULL RESTARTS HEAP QUERIES NODE_OPTIONS HISTORIES
  SECURETOKEN PASSWORD REQUEST_URI DOCUMENT_URI OPTIONS`)

function isSetting(name: string): name is SettingName {
  return (settingNames as readonly string[]).includes(name)
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Everything below a folder, one text. */
function readAll(folder: string, ending: string): string {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => read(join(folder, name)))
    .join('\n')
}

/** What stands between backticks in the first cell of each row. */
function firstCells(heading: string): string[] {
  return rowsBelow(troubleshooting, heading).flatMap(([first = '']) =>
    [...first.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
  )
}

describe('settings that the pages name', () => {
  for (const { path, prose } of pages) {
    const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)

    test(`${path}: are settings`, () => {
      const names = spans.flatMap((span) => /^([A-Z][A-Z_]{2,})(?:=|$)/.exec(span)?.[1] ?? [])
      assert.deepEqual(
        names.filter((name) => !isSetting(name) && !foreign.includes(name)),
        [],
      )
    })

    test(`${path}: can have the values that they are given`, () => {
      // What a command follows is run elsewhere.
      for (const span of spans.filter((one) => !/ (?:alta-auth|npm)\b/.test(one))) {
        const [, name = '', value = ''] = /^([A-Z][A-Z_]{2,})='?(\S.*?)'?$/.exec(span) ?? []
        if (isSetting(name)) settingsTable[name].read(value)
      }
    })

    test(`${path}: have the defaults that are quoted`, () => {
      for (const [, name = '', value] of prose.matchAll(/`([A-Z_]+)` \(default\s`([^`]*)`\)/g)) {
        assert.ok(isSetting(name), name)
        assert.equal(value, settingsTable[name].value, name)
      }
    })
  }
})

describe('docs/troubleshooting.md', () => {
  test('names every reason, and no other', () => {
    const [, type = ''] = /export type Reason =\n((?:\s+\|.*\n)+)/.exec(read('src/verdict.ts')) ?? []
    const own = [...[...type.matchAll(/\| '([^']+)'/g)].map(([, reason = '']) => reason), ...refusedReasons]
    assert.match(type, /\| RefusedReason\n/)
    const templates = [...type.matchAll(/\| `([\w-]+)\$/g)].map(([, start]) => start)
    assert.deepEqual(templates, ['backend-', 'unavailable-'])
    const ofNginx = [
      ...readAll('nginx/alta-auth', '.conf').matchAll(/set \$alta_auth_own_reason +([\w-]+);/g),
    ]
    const all = [
      ...own,
      ...refusedReasons,
      ...unavailableReasons.map((reason) => `unavailable-${reason}`),
      ...ofNginx.map(([, reason = '']) => reason),
    ]
    const named = firstCells('Reasons')
    assert.equal(new Set(named).size, named.length)
    assert.deepEqual(
      named.filter((reason) => !/^backend-\d{3}$/.test(reason)).sort(),
      [...new Set(all)].sort(),
    )
    assert.ok(named.some((reason) => /^backend-\d{3}$/.test(reason)))
  })

  test('names every source, and no other', () => {
    assert.ok(read('nginx/alta-auth/http.conf').includes('"nginx"'))
    assert.deepEqual(firstCells('Sources').sort(), [...sources, 'nginx'].sort())
  })

  test('names every message of the log with its level, and no other', () => {
    const calls = /log\.(info|warn|error|debug)\('([^']+)'/g
    const code = [...readAll('src', '.ts').matchAll(calls)].map(
      ([, level, message]) => `${message}: ${level}`,
    )
    const [, sentences = ''] = /sentenceOf = (\{[^}]*\})/.exec(read('src/log/decision-log.ts')) ?? []
    const decisions = [...sentences.matchAll(/: '([^']+)'/g)].map(([, message]) => `${message}: info`)
    assert.equal(decisions.length, 4)
    const ofStream = /line\('(\w+)', '([^']+)'/.exec(read('src/log/log-stream.ts'))
    const all = new Set([...code, ...decisions, `${ofStream?.[2]}: ${ofStream?.[1]}`])
    const named = rowsBelow(troubleshooting, "The gate's log").flatMap(([messages = '', level = '']) =>
      [...messages.matchAll(/`([^`]+)`/g)].map(([, message]) => `${message}: ${level}`),
    )
    assert.deepEqual(named.sort(), [...all].sort())
  })

  test('names every exit code, and no other', () => {
    const codes = rowsBelow(troubleshooting, 'Exit codes').map(([code]) => Number(code))
    assert.deepEqual(codes, Object.values(exitCodes).sort())
  })
})

describe('other facts', () => {
  test('docs/performance.md counts requests and re-checks right', () => {
    const rows = rowsBelow(readPage('docs/performance.md').prose, 'From viewers to settings')
    assert.ok(rows.length >= 4)
    for (const [viewers = '', ...figures] of rows) {
      const all = Number(viewers.replaceAll(',', ''))
      const expected = [all / 3, all / 60, all / 300].map((figure) => Math.round(figure).toLocaleString('en'))
      assert.deepEqual(figures.slice(0, 3), expected, viewers)
    }
  })

  test('docs/nginx.md names every shipped file', () => {
    const { prose } = readPage('docs/nginx.md')
    for (const name of readdirSync(join(root, 'nginx/alta-auth')))
      assert.ok(prose.includes(`(../nginx/alta-auth/${name})`), name)
  })

  test('docs/nginx.md tells what the snippets say of time and place', () => {
    const { prose } = readPage('docs/nginx.md')
    const said = (file: string, pattern: RegExp): string =>
      pattern.exec(read(`nginx/alta-auth/${file}`))?.[1] ?? file
    const folder = said('cache-http.conf', /^proxy_cache_path (\S+)/m)
    assert.ok(prose.includes(`The files lie in \`${folder}\``), folder)
    assert.equal(said('cache-http.conf', /max_size=(\w+)/), '256m')
    assert.ok(prose.includes('256 MB is the bound'))
    assert.equal(said('cache-http.conf', /inactive=(\w+)/), '2m')
    assert.ok(prose.includes('silent for two minutes (`inactive`'))
    assert.equal(said('server.conf', /proxy_read_timeout +(\w+);/), '3s')
    assert.ok(prose.includes('nginx gives the gate 3 s (`proxy_read_timeout`)'))
  })

  test('what the bench wants to reach stands on its own page, and on none for operators', () => {
    const isTarget = /^\|[^|]*\| +target \|/m
    assert.match(read('bench/RESULTS.md'), isTarget)
    for (const { path } of pages) assert.doesNotMatch(read(path), isTarget, path)
  })

  test('docs/backends.md: each row of "Which settings?" is a gate that starts', () => {
    const rows = rowsBelow(readPage('docs/backends.md').prose, 'Which settings?')
    assert.ok(rows.length >= 6)
    for (const [what = '', middleware = '', url = '', more = ''] of rows) {
      const given = [...more.matchAll(/`([A-Z_]+)=([^`]+)`/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ])
      const [, preset = 'custom'] = /^`(\w+)`$/.exec(middleware) ?? []
      const [, address = 'http://127.0.0.1:6000/auth'] = /^`(http[^`]+)`$/.exec(url) ?? []
      const result = readSettings({ MIDDLEWARE: preset, BACKEND_URL: address, ...Object.fromEntries(given) })
      assert.deepEqual(result.ok ? [] : result.problems, [], what)
      assert.equal(preset === 'custom', middleware === 'none', what)
    }
  })

  test('docs/backends.md names where the presets ask', () => {
    const { prose } = readPage('docs/backends.md')
    const paths = [...read('src/client/presets.ts').matchAll(/: '(\/[^']+)'/g)].map(([, path = '']) => path)
    assert.equal(paths.length, 3)
    for (const path of paths) assert.ok(prose.includes(`${path}\``), path)
  })
})
