import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { ClassicLevel } from 'classic-level'
import { clientRequest, deny } from '../support/pretend-gate.ts'
import { createPretendMachine } from '../support/pretend-machine.ts'

const MINUTE = 60_000
const lifetimes = { allow: 'session' as const, resume: 'backend' as const }

/** A name of the release before, without a secret. */
const nameOf = (text: string, length: number): string => hash('sha256', text, 'base64url').slice(0, length)

/** A bundle of one record, as 0.2 has written it. */
function formerBundle(record: { readonly id: string }, until: number): Buffer {
  const [id, payload] = [Buffer.from(record.id), Buffer.from(`\0${JSON.stringify(record)}`)]
  const head = Buffer.alloc(14)
  head.writeUInt16BE(id.length, 0)
  head.writeDoubleBE(until, 2)
  head.writeUInt32BE(payload.length, 10)
  const start = Buffer.alloc(12)
  start.writeDoubleBE(until, 0)
  const bundle = Buffer.concat([start, head, id, payload])
  bundle.writeUInt32BE(crc32(bundle.subarray(12), crc32(bundle.subarray(0, 8))), 8)
  return bundle
}

describe('a folder of the release before', () => {
  test('who plays goes on with a dead token, after the update and after a further restart', async (t) => {
    const machine = createPretendMachine(t)
    const probe = await machine.start({ lifetimes })
    const own = clientRequest('/live/one/index.m3u8?token=X')
    const { viewer } = [...(await opened(probe, own))][0] ?? assert.fail()
    await probe.stop()

    const now = machine.place.wallNow
    const record = {
      ...{ id: 'former0123456789abcdef', viewer, origin: own.origin, path: own.path, query: own.query },
      ...{ userAgent: own.userAgent, playbackId: own.playbackId, user: 'anna', openedAt: now - 5 * MINUTE },
      ...{ lastSeen: now - 1_000, activeAt: now - 1_000, requests: 9, dueAt: null, part: 1, silent: false },
      ...{ allowedAt: now - 5 * MINUTE, resumeFor: 15 * MINUTE, more: 'that this release does not know' },
    }
    const folder = join(machine.place.folder, 'sessions')
    mkdirSync(folder, { recursive: true })
    const level = new ClassicLevel<string, Buffer>(folder, {
      ...{ keyEncoding: 'utf8', valueEncoding: 'buffer', compression: false },
    })
    await level.open()
    await level.clear()
    await level.put(`1${nameOf('', 8)}${nameOf(viewer, 22)}`, formerBundle(record, now + 60 * MINUTE))
    await level.close()

    for (const how of ['stop', 'kill'] as const) {
      const next = await machine.start({ lifetimes })
      next.answers(() => deny())
      const { reason, sessionId } = await next.decide(clientRequest('/live/one/1.ts'))
      assert.deepEqual([reason, sessionId], ['adopted', record.id], how)
      assert.deepEqual(next.asked, [])
      await next.written()
      await next[how]()
      machine.pass(1_000)
    }
    // What has ended does not come back out of the old record.
    const last = await machine.start({ lifetimes })
    last.answers(() => deny())
    assert.equal((await last.decide(clientRequest('/live/one/1.ts'))).verdict, 'allow')
    await last.store.remove({ id: record.id, viewer }, { why: 'closed' })
    await last.kill()
    const after = await machine.start({ lifetimes })
    after.answers(() => deny())
    assert.equal((await after.decide(clientRequest('/live/one/1.ts'))).verdict, 'deny')
  })
})

async function opened(
  gate: Awaited<ReturnType<ReturnType<typeof createPretendMachine>['start']>>,
  request: ReturnType<typeof clientRequest>,
) {
  await gate.decide(request)
  return gate.sessions.all()
}
