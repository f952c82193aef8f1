import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { readPage, readPages, root } from '../support/documentation/pages.ts'

const pages = [...readPages(), readPage('SECURITY.md'), readPage('CHANGELOG.md'), readPage('CONTRIBUTING.md')]

interface Link {
  readonly shown: string
  /** From the root of the repository; the page itself for `#anchor`. */
  readonly file: string
  readonly anchor: string
}

/** Links and pictures that lead into the repository. */
function linksOf(path: string, prose: string): Link[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, shown = '']) => {
    if (/^[a-z]+:/.test(shown)) return []
    const [file = '', anchor = ''] = shown.split('#')
    return [{ shown, file: file === '' ? path : relative(root, join(root, dirname(path), file)), anchor }]
  })
}

/** The anchors of a page's headings, as GitHub and most others make them. */
function anchorsOf(prose: string): string[] {
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('links between the pages lead somewhere', () => {
  for (const { path, prose } of pages) {
    test(path, () => {
      const broken = linksOf(path, prose).filter(({ file, anchor }) => {
        if (!existsSync(join(root, file))) return true
        if (anchor === '') return false
        return !file.endsWith('.md') || !anchorsOf(readPage(file).prose).includes(anchor)
      })
      assert.deepEqual(
        broken.map(({ shown }) => shown),
        [],
      )
    })
  }

  test('the README leads to every page', () => {
    const linked = new Set(linksOf('README.md', readPage('README.md').prose).map(({ file }) => file))
    assert.deepEqual(
      pages.map(({ path }) => path).filter((path) => path !== 'README.md' && !linked.has(path)),
      [],
    )
  })

  test('the README is at most 110 lines long', () => {
    assert.ok(readPage('README.md').text.trimEnd().split('\n').length <= 110)
  })

  test('a page says in its first lines what it answers, and has no two headings of one name', () => {
    for (const { path, prose } of readPages()) {
      const anchors = anchorsOf(prose)
      assert.equal(new Set(anchors).size, anchors.length, path)
      assert.match(prose, /^# .+\n\n[A-Z]/, path)
    }
  })
})
