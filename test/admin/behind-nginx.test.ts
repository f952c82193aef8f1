import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type AdminGate, askAdmin, startAdminGate } from '../support/admin-gate.ts'
import { askGate } from '../support/ask-gate.ts'
import { startBackend } from '../support/backend.ts'
import { readPage } from '../support/documentation/pages.ts'
import { type EventReader, readEvents } from '../support/event-reader.ts'
import { startNginx } from '../support/nginx.ts'
import { suiteScope } from '../support/scope.ts'
import { until } from '../support/until.ts'

describe('the admin listener behind nginx, as docs/admin.md shows it', () => {
  const token = 'the-token-of-the-operator'
  const scope = suiteScope()
  let site: AdminGate
  let port: number
  before(async () => {
    const backend = await startBackend(scope)
    site = await startAdminGate(scope, { BACKEND_URL: backend.url, ADMIN_TOKEN: token })
    const block = readPage('docs/admin.md').blocks.find(({ text }) => text.includes('proxy_pass'))
    const server = block?.text.replace('127.0.0.1:9181', `127.0.0.1:${site.adminPort}`) ?? ''
    port = (await startNginx(scope, { gates: [site.gate.address], server })).port
  })

  const ask = (what: string, headers: Readonly<Record<string, string>>) => askAdmin({ port }, what, headers)

  test('the browser is known by the address that it shows', async () => {
    const Host = `gate.example.com:${port}`
    const bearer = { Host, Authorization: `Bearer ${token}` }
    assert.equal((await ask('GET /', { Host })).status, 200)
    assert.equal((await ask('GET /sessions', { Host })).status, 401)
    assert.equal((await ask('GET /sessions', bearer)).status, 200)
    const own = { ...bearer, Origin: `https://gate.example.com:${port}`, 'Sec-Fetch-Site': 'same-origin' }
    assert.equal((await ask('DELETE /sessions/none', own)).status, 404)
    assert.equal(
      (await ask('DELETE /sessions/none', { ...own, Origin: 'https://gate.example.com' })).status,
      403,
    )
  })

  test('events come at once', async (t) => {
    const reader: EventReader = await readEvents(t, port, '/events', { Authorization: `Bearer ${token}` })
    await until('the state', () => reader.events.length > 0)
    const { sessionId } = await askGate(site.gate.port)
    await until('the session', () =>
      reader.events.some(({ name, data }) => name === 'opened' && JSON.stringify(data).includes(sessionId)),
    )
  })
})
