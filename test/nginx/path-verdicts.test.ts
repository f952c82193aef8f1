import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import { type ClientAnswer, request } from '../support/client.ts'
import { startNginx } from '../support/nginx.ts'
import { forSuite } from '../support/scope.ts'
import { questionsDuring, startSite, writeNamedFiles } from '../support/site.ts'
import { wordsOf } from '../support/words.ts'

const allowedFile = '/free/x.ts'
const deniedFile = '/paid/x.ts'
/** Allowed, too, so that the viewer has a session that opens a whole directory. */
const playlist = '/free/index.m3u8'
const allowed = new Set([allowedFile, playlist])

const spellingsOfTheDenied = wordsOf(`
  /paid/x.ts /free/../paid/x.ts /free/%2e%2e/paid/x.ts /free/%2E%2E/paid/x.ts /free/.%2e/paid/x.ts
  /free/..%2fpaid/x.ts /free/%2e%2e%2fpaid%2fx.ts /free/index.m3u8/../../paid/x.ts
  /free/x.ts/../../paid/x.ts /free//../paid/x.ts /free/./../paid/./x.ts /free/;/../../paid/x.ts //paid/x.ts
  /paid//x.ts /./paid/x.ts /%70aid/x.ts /%70%61%69%64/%78%2e%74%73 /paid%2fx.ts /paid/x.ts?/free/x.ts
  /paid/x.ts? /paid/x.ts#/../../free/x.ts /paid/x.ts#?/free/x.ts http://localhost/paid/x.ts
  http://localhost//free/../paid/x.ts http://free/paid/x.ts`)

/** No file has these paths. They stay closed all the same. */
const noSpellings = wordsOf(String.raw`
  /free/..;/paid/x.ts /free/%252e%252e/paid/x.ts /free/..%252fpaid/x.ts /free/..\paid\x.ts
  /free/..%5cpaid%5cx.ts /free/%c0%ae%c0%ae/paid/x.ts /free%23/../../paid/x.ts /free/x.ts%00/../../paid/x.ts
  /paid/x.ts%00.m3u8 /paid/x.ts%0a /paid/x.ts%20 /paid/x.ts/ /paid/x.ts%3f /PAID/x.ts`)

describe('the verdict for one path is never used for another', () => {
  const site = forSuite((scope) => startSite(scope))
  /** The same files without protection: this server shows which file nginx serves. */
  const open = forSuite((scope) =>
    startNginx(scope, {
      gates: ['127.0.0.1:9'],
      server: 'location / { } location /closed/ { LOCATION }',
    }),
  )
  before(async () => {
    for (const { root } of [site.nginx, open]) {
      writeNamedFiles(root, [allowedFile, deniedFile, playlist, '/x.ts', '/free/a b', '/free/%2e%2e'])
    }
    site.backend.answer = ({ headers }, response) => {
      response.writeHead(allowed.has(headers['X-Real-Path'] ?? '') ? 200 : 403).end()
    }
    for (const path of allowed) assert.equal((await play(path)).status, 200)
  })
  // One viewer for all requests. Its sessions on the allowed paths can be ridden on.
  const play = (target: string): Promise<ClientAnswer> =>
    request({ port: site.nginx.port, target, headers: ['User-Agent: one'] })
  const playOpen = (target: string): Promise<ClientAnswer> => request({ port: open.port, target })

  for (const target of spellingsOfTheDenied) {
    test(`${JSON.stringify(target)} is the denied file and refused`, async () => {
      assert.equal((await playOpen(target)).body, deniedFile)
      assert.equal((await play(target)).status, 403)
    })
  }

  for (const target of noSpellings) {
    test(`${JSON.stringify(target)} gives nothing`, async () => {
      assert.notEqual((await playOpen(target)).status, 200)
      const { status } = await play(target)
      assert.ok([400, 403, 404].includes(status), `status ${status}`)
    })
  }

  test('a refused spelling is asked about with the path it stands for', async () => {
    const asked = await questionsDuring(site.backend, async () => {
      for (const target of spellingsOfTheDenied) {
        await request({ port: site.nginx.port, target, headers: ['User-Agent: two'] })
      }
    })
    assert.ok(asked.length > 0)
    for (const { headers } of asked) assert.equal(headers['X-Real-Path'], deniedFile)
  })

  test('whatever way a path is spelled, exactly the allowed files are served', async () => {
    const part = fc.constantFrom(
      ...wordsOf('free paid x.ts index.m3u8 fre%65 %70aid %78.ts x%2ets free paid x.ts'),
      ...wordsOf('.. .. %2e%2e .%2E . %2e ... %252e%252e ; ..; a%20b %00 %01 %5c..'),
      '',
    )
    const slash = fc.constantFrom('/', '/', '/', '//', '%2f', '%2F', '/./', '\\')
    const end = fc.constantFrom('', '', '', ...wordsOf('? ?/free/x.ts # #/../free/x.ts / %20 %23 %3f ;'))
    const spelling = fc
      .tuple(
        fc.constantFrom('/', '/', '/free/', '/free/../', 'http://localhost/'),
        fc.array(fc.tuple(part, slash), { maxLength: 4 }),
        fc.constantFrom('free/x.ts', 'paid/x.ts', '../paid/x.ts', '%2e./paid/x.ts', 'x.ts', ''),
        end,
      )
      .map(([start, middle, file, rest]) => start + middle.flat().join('') + file + rest)
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(spelling, async (target) => {
        const bare = await playOpen(target)
        const protectedAnswer = await play(target)
        seen.add(bare.status === 200 ? bare.body : String(bare.status))
        if (bare.status === 200 && allowed.has(bare.body)) {
          assert.deepEqual([protectedAnswer.status, protectedAnswer.body], [200, bare.body])
        } else if (bare.status === 200) {
          // Below the directory of the allowed playlist the viewer rides.
          const rides = bare.body.startsWith('/free/')
          assert.equal(protectedAnswer.status, rides ? 200 : 403)
        } else {
          assert.ok([bare.status, 403].includes(protectedAnswer.status), `status ${protectedAnswer.status}`)
        }
      }),
      { numRuns: 1500 },
    )
    for (const outcome of [allowedFile, deniedFile, '/x.ts', '404', '400'])
      assert.ok(seen.has(outcome), outcome)
  })
})
