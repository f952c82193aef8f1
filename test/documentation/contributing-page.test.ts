import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { readPage, root } from '../support/documentation/pages.ts'

const { prose } = readPage('CONTRIBUTING.md')
const notOurs = /^(?:node_modules|dist|\.git)(?:\/|$)/
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => !notOurs.test(name))
const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)

describe('CONTRIBUTING.md', () => {
  test('names only files and folders that are there; a test by its name, wherever it lies', () => {
    const paths = spans
      .flatMap((span) => span.split(' '))
      .filter((word) => /\/$|\.(?:ts|mjs|md|yml|conf|example)$/.test(word))
    assert.ok(paths.length > 40)
    const missing = paths.filter((path) => {
      const name = path.replace(/\/$/, '')
      return !files.some((file) => file === name || file.endsWith(`/${name}`))
    })
    assert.deepEqual(missing, [])
  })

  test('shows every folder of the repository on its map', () => {
    const folders = files.filter(
      (name) =>
        !name.includes('/') && !name.includes('.') && files.some((file) => file.startsWith(`${name}/`)),
    )
    assert.ok(folders.length > 8)
    assert.deepEqual(
      folders.filter((name) => !spans.includes(`${name}/`)),
      [],
    )
  })
})
