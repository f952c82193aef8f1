import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { parse } from 'dotenv'
import { readSettings } from '../../src/config/read-settings.ts'
import { askGate } from '../support/ask-gate.ts'
import { normalised } from '../support/documentation/expected-output.ts'
import {
  type Block,
  is,
  type Page,
  readPage,
  readPages,
  root,
  takeApart,
} from '../support/documentation/pages.ts'
import { commandsOf, createReading } from '../support/documentation/reading.ts'
import { type Elsewhere, pagesElsewhere, runElsewhere } from '../support/documentation/run-elsewhere.ts'
import { startStage } from '../support/documentation/stage.ts'
import { testFragment } from '../support/documentation/test-fragment.ts'
import { startGate } from '../support/gate.ts'
import { startRawBackend } from '../support/raw-backend.ts'

/** What may stand behind the language of a block, so that a test knows what to do with it. */
const kinds: Readonly<Record<string, RegExp>> = {
  sh: /^(?:|fails|service|(?:eventually ?)?(?:|backend-stopped|gate-stopped))$/,
  // Pieces with the same name belong together.
  nginx: /^(?:site|upstream|(?:http|server)(?: [\w-]+)?)$/,
  env: /^$/,
  php: /^[\w-]+\.php$/,
  // What Valkey reads is given to one by test/long/documentation/scale-page.test.ts.
  conf: /^(?:valkey|acl|sentinel|tls)$/,
  http: /^question$/,
  // An example of a post is checked by test/documentation/events-page.test.ts.
  json: /^(?:output|events)$/,
  text: /^(?:output|picture)$/,
}

const pages = readPages()
const here = pages.filter(({ path }) => pagesElsewhere[path] === undefined)

function assertRunsIn({ file, says }: Elsewhere): void {
  assert.ok(existsSync(join(root, file)), `${file} is not there`)
  assert.ok(readFileSync(join(root, file), 'utf8').includes(says), `${file} does not say ${says}`)
}

describe('every block of the documentation is of a kind that is checked', () => {
  for (const { path, blocks } of here) {
    test(path, () => {
      for (const { place, language, words } of blocks) {
        const kind = kinds[language]
        assert.ok(kind !== undefined, `${place}: nothing checks a block of "${language}"`)
        assert.match(words.join(' '), kind, place)
      }
    })
  }

  test('a block that is not closed is told', () => {
    assert.throws(() => takeApart('x.md', 'a\n```sh\nls\n'), /x\.md:2: the block is not closed/)
  })
})

describe('what is run by other tests is run there', () => {
  for (const [what, elsewhere] of Object.entries({ ...runElsewhere, ...pagesElsewhere })) {
    test(`${what} in ${elsewhere.file}`, () => assertRunsIn(elsewhere))
  }

  test('each npm command is one of package.json', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
    for (const { prose, blocks } of [...pages, readPage('CONTRIBUTING.md')]) {
      const text = [prose, ...blocks.map((block) => block.text)].join('\n')
      for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g)) assert.ok(name in scripts, name)
    }
  })

  test('the list holds nothing that no page says', () => {
    const said = new Set(pages.flatMap(({ blocks }) => blocks.flatMap(commandsOf)))
    assert.deepEqual(
      Object.keys(runElsewhere).filter((command) => !said.has(command)),
      [],
    )
    for (const path of Object.keys(pagesElsewhere)) assert.ok(pages.some((page) => page.path === path))
  })
})

describe('the settings in the documentation are read without a problem', () => {
  for (const block of here.flatMap(({ blocks }) => blocks).filter((one) => is(one, 'env'))) {
    test(block.place, () => {
      const environment = parse(block.text)
      assert.equal(Object.keys(environment).length, block.text.split('\n').length)
      const result = readSettings(environment)
      assert.deepEqual(result.ok ? [] : result.problems, [])
    })
  }
})

describe('nginx takes the pieces of configuration in the documentation, without a warning', () => {
  for (const { blocks } of here) {
    const nginx = blocks.filter((block) => is(block, 'nginx') && !block.words.includes('site'))
    for (const block of nginx) {
      const [, name] = block.words
      test(block.place, async (t) => {
        const partners = nginx.filter(({ words }) => name !== undefined && words[1] === name)
        const pieces = new Map([...partners, block].map(({ words, text }) => [words[0] ?? '', text]))
        assert.equal(await testFragment(t, Object.fromEntries(pieces)), '')
      })
    }
  }

  test('and it does complain about a wrong one', async (t) => {
    assert.match(await testFragment(t, { server: 'loction /live/ { }' }), /unknown directive "loction"/)
    assert.match(await testFragment(t, { upstream: 'server 127.0.0.1:9180 max_fail=0;' }), /max_fail=0/)
  })
})

describe('a backend is asked as the documentation shows', () => {
  for (const block of here.flatMap(({ blocks }) => blocks).filter((one) => is(one, 'http'))) {
    test(block.place, async (t) => {
      const [, url = '', setting = ''] = /For `(\S+)` and `BACKEND_URL=(\S+)`:\s*$/.exec(block.before) ?? []
      const { origin, pathname, search } = new URL(url)
      const header = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block.text)?.[1] ?? ''
      let head = ''
      const backend = await startRawBackend(
        t,
        (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
        (socket) => socket.on('data', (bytes) => (head += bytes.toString('latin1'))),
      )
      const gate = await startGate(t, { BACKEND_URL: setting.replace(':6000', `:${backend.port}`) })
      await askGate(gate.port, {
        uri: pathname + search,
        origin,
        address: header('X-Real-Ip'),
        userAgent: header('X-Real-Ua'),
      })
      assert.equal(normalised(head).replaceAll(`:${backend.port}`, ':6000'), normalised(block.text))
    })
  }
})

async function readAloud(t: TestContext, { text, blocks }: Page): Promise<void> {
  const stage = await startStage(t, !text.includes('cp -r nginx/alta-auth /etc/nginx/'))
  const readBlock = createReading(stage)
  for (const block of blocks) await readBlock(block)
}

describe('the commands of each page do what it says, from top to bottom', () => {
  for (const page of here) {
    const isStory = page.blocks.some(
      (block) => is(block, 'sh') && !commandsOf(block).every((one) => one in runElsewhere),
    )
    if (isStory) test(page.path, (t) => readAloud(t, page))
  }

  test('a script in PHP is started by its page', () => {
    for (const { blocks } of here) {
      const services = blocks.filter((block) => is(block, 'sh', 'service'))
      for (const { place, words } of blocks.filter((block) => is(block, 'php'))) {
        const [name = ''] = words
        assert.ok(name.endsWith('.php') && services.some(({ text }) => text.endsWith(` ${name}`)), place)
      }
    }
  })

  test('what a page shows is compared', async (t) => {
    const stage = await startStage(t, true)
    const story = takeApart('x.md', '```sh\necho one\n```\n```text output\ntwo\n```\n').blocks
    const readBlock = createReading(stage)
    await assert.rejects(async () => {
      for (const block of story) await readBlock(block)
    }, /x\.md:4/)
    await assert.rejects(readBlock({ ...story[0], text: 'false' } as Block), /x\.md:1/)
  })
})
