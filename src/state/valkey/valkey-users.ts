import type { Seal } from '../seal.ts'
import type { UserText, UserTexts } from '../user-texts.ts'
import type { Nodes } from './nodes.ts'
import type { Scripts } from './scripts.ts'
import type { ValkeyKeys } from './valkey-keys.ts'

export interface ValkeyUsersOptions {
  readonly nodes: Pick<Nodes, 'call' | 'run' | 'isUsable'>
  readonly scripts: Scripts
  readonly keys: Pick<ValkeyKeys, 'user'>
  readonly seal: Seal
  /** Milliseconds that a call may take. */
  readonly deadline: number
  readonly now: () => number
}

const NAME = 22

/**
 * While a secret is rotated, a user's value stays where it lies: two names in one order for all gates,
 * whichever secret is their first.
 */
export function createValkeyUsers(options: ValkeyUsersOptions): UserTexts {
  const { nodes, scripts, keys, seal, deadline, now } = options
  const namesOf = (user: string): readonly string[] => [...seal.names(user, NAME)].sort()
  const placeOf = (name: string): string => `user ${name}`

  return {
    isShared: true,
    isUsable: (user) => namesOf(user).every((name) => nodes.isUsable(keys.user(name))),
    /** A version begins with the place among the names. What cannot be opened is replaced as it lies there. */
    async read(user) {
      const names = namesOf(user)
      const found = await Promise.all(
        names.map((name) => nodes.call(deadline, keys.user(name), 'GET', [keys.user(name)])),
      )
      const at = found.findIndex((one) => one !== null)
      const name = names[at]
      if (name === undefined) return undefined
      const sealed = found[at] as Buffer
      return { text: seal.open(sealed, placeOf(name)) ?? '', version: Buffer.concat([Buffer.of(at), sealed]) }
    },
    async write(user, text, before, keepFor): Promise<UserText | undefined> {
      const names = namesOf(user)
      const at = before?.version[0] ?? 0
      const name = names[at] as string
      const sealed = seal.seal(text, placeOf(name))
      const reply = await nodes.run(deadline, keys.user(name), scripts.replace, [
        before?.version.subarray(1) ?? '',
        sealed,
        Math.max(1, Math.ceil(keepFor)),
      ])
      const [done] = reply as readonly [number]
      return done === 1 ? { text, version: Buffer.concat([Buffer.of(at), sealed]) } : undefined
    },
    now,
  }
}
