import type { StoreEngine } from '../store-engine.ts'
import type { PartOptions } from './client.ts'
import { bytesOf, listOf, maybe, millisecondsOf, numberOf, textOf } from './replies.ts'

const COLON = 0x3a

/** What is kept of users and of cookies. */
export function createUsers({ client, keys, deadlines: { read, write } }: PartOptions) {
  return {
    readUser: (user) => client.call(read, 'get', [keys.user(user)], (reply) => maybe(reply, bytesOf)),

    replaceUser: (user, before, value, keepFor) =>
      client.run(
        read,
        'replaceUser',
        [keys.user(user)],
        [before ?? '', value, millisecondsOf(keepFor)],
        (reply) => numberOf(listOf(reply, 1)[0]) === 1,
      ),

    markUser: (user, number, value, keepFor) =>
      client.run(
        write,
        'markUser',
        [keys.userMark(user)],
        [number, value, millisecondsOf(keepFor)],
        () => undefined,
      ),

    marksOf: (users) =>
      Promise.all(
        users.map((user) =>
          client.call(read, 'get', [keys.userMark(user)], (reply) =>
            maybe(reply, (found) => {
              const value = bytesOf(found)
              return value.subarray(value.indexOf(COLON) + 1)
            }),
          ),
        ),
      ),

    addCookie: (cookie, viewer, keepFor) =>
      client.run(
        write,
        'addCookie',
        [keys.cookie(cookie)],
        [viewer, millisecondsOf(keepFor)],
        () => undefined,
      ),

    viewersOf: (cookie) =>
      client.call(read, 'lrange', [keys.cookie(cookie), 0, -1], (reply) => listOf(reply ?? []).map(textOf)),
  } satisfies Partial<StoreEngine>
}
