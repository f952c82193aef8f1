import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { limitCases } from '../support/limit-cases.ts'
import { startLimitSite } from '../support/limit-site.ts'
import { forSuite } from '../support/scope.ts'

const policies = ['newest', 'refuse', 'report'] as const

/** The cases that need few seconds; all of them are in test/long/limit/table.test.ts. */
describe('how many at once, through nginx', { concurrency: true }, () => {
  for (const sessionLimit of policies) {
    const site = forSuite((scope) => startLimitSite(scope, { SESSION_LIMIT: sessionLimit }))
    for (const one of limitCases)
      if (one.quick === true && (one.sessionLimit ?? 'newest') === sessionLimit)
        test(one.name, (t) => one.play(site.stage(t, one)))
  }

  test('with nginx’s verdict cache a displaced viewer is out once NGINX_TTL is over', async (t) => {
    const site = await startLimitSite(t, { NGINX_TTL: '2s' }, true)
    const stage = site.stage(t, { name: '', play: async () => {} })
    const [television, phone] = [stage.viewer('tv'), stage.viewer('phone')]
    assert.equal(await television.open('news', 'tv'), 'allow')
    assert.equal(await phone.head('film', 'phone'), 'allow')
    assert.equal(await phone.head('film', 'phone'), 'allow')
    await delay(2_500)
    assert.equal(await television.segment('news'), 'allow')
    // nginx does not answer for the gate after a HEAD: this one counts.
    assert.equal(await phone.open('film', 'phone'), 'allow')
    assert.equal(await television.segment('news'), 'allow', 'nginx answers')
    await delay(2_500)
    assert.equal(await television.segment('news'), 'session-limit')
    assert.equal(await phone.segment('film'), 'allow')
  })
})
