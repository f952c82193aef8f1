import { pathToFileURL } from 'node:url'
import type { StoreEngine } from '../../../src/state/store-engine.ts'
import type { ValkeySettings } from '../../../src/state/valkey/valkey-settings.ts'
import { beat, changeOf, makeEngine, nameOf } from './engine-place.ts'

/** Does all that a gate does with an open engine, scripts with all their branches included. */
export async function useAll(engine: StoreEngine): Promise<void> {
  const [viewer, user, value] = [nameOf('all'), nameOf('user'), Buffer.from('value')]
  const session = { viewer, id: 'ended', value, keepFor: 60_000 }
  await engine.beat({ entry: value, number: 3, have: 0, most: 1_000 })
  const identity = await engine.identify({ name: nameOf('store'), key: value })
  await engine.sealAnew(identity, Buffer.from('anew'))
  for (let at = 0; at < 9; at += 1)
    await engine.write(Array.from({ length: 60 }, (_, n) => changeOf(viewer, { id: `s${at}-${n}` })))
  await engine.read(viewer, ['s8-1', 's8-2'])
  await engine.list(viewer)
  await engine.end([session, { ...session, id: 's8-1' }])
  await engine.write([changeOf(viewer, { id: 'ended' })])
  await engine.drop([{ viewer, id: 's8-2' }])
  await engine.addCookie(nameOf('cookie'), viewer, 60_000)
  await engine.viewersOf(nameOf('cookie'))
  await engine.replaceUser(user, await engine.readUser(user), value, 60_000)
  await engine.replaceUser(user, value, Buffer.from('more'), 60_000)
  await engine.markUser(user, 1, value, 60_000)
  await engine.marksOf([user])
  await engine.replaceWide((await engine.wide())?.version ?? 0, value, 60_000)
  await engine.nextNumber(5)
  await engine.post([1, 2, 3, 4, 5].map(() => ({ gate: engine.gate, value: Buffer.alloc(1_000_000) })))
  await beat(engine, 3)
  await engine.roster()
  await engine.former('place')
  await engine.goodbye()
}

/** As a program, with the settings as its parameter. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const engine = makeEngine(JSON.parse(process.argv[2] ?? '') as ValkeySettings)
  await engine.open()
  await useAll(engine)
  await engine.close()
}
