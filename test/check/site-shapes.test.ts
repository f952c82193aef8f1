import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Backend, startBackend } from '../support/backend.ts'
import { type CheckedSite, checkSite, flawsOf, startCheckedSite } from '../support/checked-site.ts'
import { rounds } from '../support/rounds.ts'
import { suiteScope } from '../support/scope.ts'
import { ask, startShapedSite } from '../support/shaped-site.ts'
import { newViewer } from '../support/site.ts'
import { cookieSites } from '../support/sites/cookies.ts'
import { fileSites } from '../support/sites/files.ts'
import { openSites } from '../support/sites/open.ts'
import { originSites } from '../support/sites/origins.ts'
import { ownWaySites } from '../support/sites/own-ways.ts'

/** In `npm test` each so many of them is tried. */
const EACH = rounds(3, 1)
const shapes = [...fileSites, ...originSites, ...ownWaySites, ...openSites, ...cookieSites].filter(
  (_shape, at) => at % EACH === 0,
)
const withToken = (path: string, token: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}token=${token}`

describe('with our includes, a good token plays, a bad one does not, and check says what is open, on', () => {
  const scope = suiteScope()
  let installation: CheckedSite
  let origin: Backend
  before(async () => {
    installation = await startCheckedSite(scope, { settings: { CHANNEL_PATTERN: '' } })
    origin = await startBackend(scope)
    origin.answer = ({ target }, response) => {
      const [, file] = /^\/accel(\/[^?]*)/.exec(target) ?? []
      response.writeHead(200, file === undefined ? {} : { 'X-Accel-Redirect': `/inner${file}` }).end(target)
    }
  })

  for (const shape of shapes) {
    test(shape.what, async (t) => {
      const { gate, environment } = installation
      const site = await startShapedSite(t, shape, gate.address, origin)
      const [good, bad] = [newViewer(), newViewer()]
      const { playlist, segments, open = [] } = shape
      assert.equal(await ask(site, bad, withToken(playlist, 'bad')), 403, `${playlist} with a bad token`)
      assert.equal(await ask(site, good, withToken(playlist, 'good')), 200, `${playlist} with a good token`)
      for (const segment of segments) {
        assert.equal(await ask(site, good, segment), 200, `${segment} of a viewer who plays`)
        assert.equal(await ask(site, bad, segment), 403, `${segment} of another viewer`)
      }
      for (const path of open) assert.equal(await ask(site, newViewer(), path), 200, `${path} is open`)

      const found = shape.found ?? []
      const settings = { CHANNEL_PATTERN: '^/live/([^/]+)/', ...shape.settings }
      const findings = await checkSite({ ...environment, ...settings, PATH: site.path })
      const flaws = findings.filter(({ result }) => result === 'failed' || result === 'warning')
      assert.deepEqual(
        flawsOf(findings),
        found.map(([flaw]) => flaw),
        JSON.stringify(flaws, null, 1),
      )
      for (const [flaw, says] of found) {
        const name = flaw.split(' ')[1]
        const said = flaws.filter((one) => one.name === name).map((one) => `${one.finding}\n${one.remedy}`)
        assert.match(said.join('\n'), says)
      }
    })
  }
})
