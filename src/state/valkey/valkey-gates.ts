import type { Seal } from '../seal.ts'
import type { GateList, ListedGate } from '../shared-store.ts'
import type { Nodes } from './nodes.ts'
import { expiryOf, sealedOf } from './record-fields.ts'
import type { Scripts } from './scripts.ts'

export interface ValkeyGatesOptions {
  readonly nodes: Pick<Nodes, 'call' | 'run'>
  readonly scripts: Scripts
  readonly key: string
  readonly seal: Seal
  readonly gate: string
  /** Milliseconds of store time. */
  readonly now: () => number
  /** Milliseconds that a call may take. */
  readonly deadline: number
}

const KEEP = 600_000
const MOST = 1_000

export function createValkeyGates(options: ValkeyGatesOptions): GateList {
  const { nodes, scripts, key, seal, gate, now, deadline } = options
  const placeOf = (id: string): string => `gate ${id}`

  return {
    async tell(about) {
      const at = now()
      const sealed = seal.seal(JSON.stringify({ ...about, at }), placeOf(gate))
      await nodes.run(deadline, key, scripts.put, [gate, at + KEEP, sealed, MOST])
    },
    async list() {
      const all = (await nodes.call(deadline, key, 'HGETALL', [key])) as readonly Buffer[]
      const gates: ListedGate[] = []
      for (let at = 0; at < all.length; at += 2) {
        const [id, value] = [String(all[at]), all[at + 1] as Buffer]
        if (expiryOf(value) <= now()) continue
        const text = seal.open(sealedOf(value, 1), placeOf(id))
        const one = text === undefined ? undefined : readGate(text, id, now())
        if (one !== undefined && one.age < KEEP) gates.push(one)
      }
      return gates
    },
  }
}

function readGate(text: string, gate: string, now: number): ListedGate | undefined {
  const { name, version, sessions, stopped, at } = JSON.parse(text) as Record<string, unknown>
  if (typeof name !== 'string' || typeof version !== 'string') return undefined
  if (typeof sessions !== 'number' || typeof at !== 'number') return undefined
  const age = Math.max(0, now - at)
  return { gate, name, version, sessions, age, ...(stopped === true && { stopped }) }
}
