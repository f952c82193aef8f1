import {
  type ChangeOutcome,
  type EndOutcome,
  type FormerRecord,
  type ListedSession,
  type StoreEngine,
  StoreError,
} from '../store-engine.ts'
import type { Parameter, PartOptions } from './client.ts'
import { bytesOf, groupsOf, listOf, maybe, millisecondsOf, numberOf, textOf } from './replies.ts'

const letters = { playing: 'p', silent: 's', left: 'l' } as const
const states = { p: 'playing', s: 'silent', l: 'left' } as const
/** A line of a list, as far as anybody but the scripts reads it. */
const ENTRY = /^([^:\n]+):([\da-f]{1,12}):([psl]):/gm
/** Most sessions of one script: so that it keeps the server busy for less than a millisecond or two. */
const BATCH = 64

/** The sessions of viewers; how they lie there says session-scripts.ts. */
export function createSessions({ client, keys, deadlines, gate, prefix }: PartOptions) {
  /** One script for each viewer, and what it answers about each item; an error where it fails. */
  const eachViewer = async <Item extends { readonly viewer: string; readonly id: string }, Outcome>(
    script: 'writeSessions' | 'endSessions',
    items: readonly Item[],
    parametersOf: (item: Item) => readonly Parameter[],
    read: (reply: unknown) => Outcome,
  ): Promise<readonly (Outcome | StoreError)[]> => {
    if (!client.isConnected()) throw client.lastError()
    const outcomes: (Outcome | StoreError)[] = []
    const groups = new Map<string, number[]>()
    for (const [at, { viewer }] of items.entries()) {
      const group = groups.get(viewer)
      if (group === undefined) groups.set(viewer, [at])
      else group.push(at)
    }
    const run = async (viewer: string, group: readonly number[]): Promise<void> => {
      const own = group.map((at) => items[at] as Item)
      const parameters = own.flatMap(parametersOf)
      const replies = await client
        .run(
          deadlines.write,
          script,
          [keys.viewer(viewer), ...own.map(({ id }) => keys.session(viewer, id))],
          script === 'writeSessions' ? [gate, ...parameters] : parameters,
          (reply) => listOf(reply, own.length).map((one) => read(one)),
        )
        .catch((error: StoreError) => error)
      for (const [n, at] of group.entries())
        outcomes[at] = replies instanceof StoreError ? replies : (replies[n] as Outcome)
    }
    await Promise.all(
      [...groups].flatMap(([viewer, group]) =>
        Array.from({ length: Math.ceil(group.length / BATCH) }, (_, n) =>
          run(viewer, group.slice(n * BATCH, (n + 1) * BATCH)),
        ),
      ),
    )
    return outcomes
  }

  return {
    list: (viewer) =>
      client.call(deadlines.read, 'get', [keys.viewer(viewer)], (reply) =>
        listedOf(maybe(reply, textOf) ?? ''),
      ),

    async read(viewer, ids) {
      if (ids.length === 0) return []
      const names = ids.map((id) => keys.session(viewer, id))
      return await client.call(deadlines.read, 'mget', names, (reply) =>
        listOf(reply, ids.length).map((one) => maybe(one, (value) => bytesOf(value).subarray(1))),
      )
    },

    async write(changes) {
      const outcomes = await eachViewer(
        'writeSessions',
        changes,
        ({ id, state, credential, keepFor, value }) => [
          ...[id, letters[state], credential, millisecondsOf(keepFor), value],
        ],
        (reply): ChangeOutcome => {
          if (Buffer.isBuffer(reply)) return { kind: 'ended', end: reply }
          return { kind: numberOf(reply) === 0 ? 'moved' : 'written' }
        },
      )
      return outcomes.map((one) => (one instanceof StoreError ? { kind: 'failed', error: one } : one))
    },

    async end(endings) {
      const outcomes = await eachViewer(
        'endSessions',
        endings,
        ({ id, keepFor, value }) => [id, millisecondsOf(keepFor), value],
        (reply): EndOutcome => {
          const [by, before] = listOf(reply)
          const told = textOf(by)
          return {
            kind: 'written',
            gate: told === '' ? undefined : told,
            ...(before !== undefined && { before: bytesOf(before) }),
          }
        },
      )
      return outcomes.map((one) => (one instanceof StoreError ? { kind: 'failed', error: one } : one))
    },

    async drop(sessions) {
      const outcomes = await eachViewer('endSessions', sessions, ({ id }) => [id, 1, ''], listOf)
      const error = outcomes.find((one) => one instanceof StoreError)
      if (error !== undefined) throw error
    },

    async former(place) {
      const isMarks = place === 'marks'
      const [now, found] = await Promise.all([
        client.call(deadlines.read, 'time', [], (reply) => Number(textOf(listOf(reply, 2)[0])) * 1_000),
        client.call(
          deadlines.read,
          'hgetall',
          [`${prefix}1:${isMarks ? '{marks}' : `v{${place}}`}`],
          (reply) => groupsOf(reply ?? [], 2).map(([id, value]) => [textOf(id), bytesOf(value)] as const),
        ),
      ])
      const kept = found.flatMap(([id, value]): FormerRecord[] => {
        const head = (isMarks || id.startsWith('x') ? FORMER : FORMER_RECORD).exec(headOf(value))
        if (head === null || Number(head[1]) <= now) return []
        return [{ id, payload: value.subarray(head[0].length) }]
      })
      if (isMarks) return kept
      const ended = new Set(kept.filter(({ id }) => id.startsWith('x')).map(({ id }) => id.slice(1)))
      return kept.flatMap(({ id, payload }) =>
        id.startsWith('r') && !ended.has(id.slice(1)) ? [{ id: id.slice(1), payload }] : [],
      )
    },
  } satisfies Partial<StoreEngine>
}

/** What the release before wrote in clear: until when; of a record also gate, silence, last request. */
const FORMER = /^(\d{1,16}):/
const FORMER_RECORD = /^(\d{1,16}):[^:]*:[01]:\d{1,16}:/

function headOf(value: Buffer): string {
  return value.toString('latin1', 0, 128)
}

/** What somebody else has written there is no session. */
function listedOf(list: string): ListedSession[] {
  return Array.from(list.matchAll(ENTRY), ([, id = '', change = '', letter = '']) => ({
    ...{ id, change: Number.parseInt(change, 16), state: states[letter as keyof typeof states] },
  }))
}
