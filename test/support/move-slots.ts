import { portOf, type ValkeyServer } from './valkey.ts'

/**
 * Moves all slots in which a server of a cluster has keys to another one. Half of the keys are there when it
 * resolves: the server answers ASK about them. The result moves the others, and says that the slots have
 * moved: it answers MOVED.
 */
export async function moveSlots(
  from: ValkeyServer,
  to: ValkeyServer,
  all: readonly ValkeyServer[],
): Promise<() => Promise<void>> {
  const [source, target] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')]
  const move = async (keys: readonly string[]): Promise<void> => {
    if (keys.length > 0)
      await from.cli('MIGRATE', '127.0.0.1', String(portOf(to.address)), '', '0', '2000', 'KEYS', ...keys)
  }
  const keysOf = async (slot: string): Promise<string[]> =>
    lines(await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '1000'))
  const slots = new Set<string>()
  for (const key of lines(await from.cli('--scan'))) slots.add(await from.cli('CLUSTER', 'KEYSLOT', key))
  let moves = true
  for (const slot of slots) {
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source)
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target)
    if (moves) await move(await keysOf(slot))
    moves = !moves
  }
  return async () => {
    for (const slot of slots) {
      await move(await keysOf(slot))
      for (const server of [to, from, ...all]) await server.cli('CLUSTER', 'SETSLOT', slot, 'NODE', target)
    }
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
