import type { Connection } from './connect.ts'

/** All commands that a gate needs, in a cluster `cluster|slots` and `asking` beside them. */
export const neededCommands = [
  ...['eval', 'evalsha', 'time', 'get', 'set', 'pttl', 'pexpire', 'scan'],
  ...['hget', 'hset', 'hdel', 'hlen', 'hgetall', 'xadd', 'xread', 'xrange', 'xrevrange'],
  ...['rpush', 'lrange'],
] as const

/** What a script may do is asked of each command in it, too. All that it leaves is gone after a second. */
const ALL_IN_SCRIPTS = `local hash, text, stream, list = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
redis.call('TIME')
redis.call('HSET', hash, 'a', '1', 'b', '1')
redis.call('HGET', hash, 'a')
redis.call('HLEN', hash)
redis.call('HGETALL', hash)
redis.call('HDEL', hash, 'b')
redis.call('PTTL', hash)
redis.call('SET', text, '1', 'PX', 1000)
redis.call('GET', text)
redis.call('XADD', stream, 'MAXLEN', '~', 1, '*', 'm', '1')
redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
redis.call('RPUSH', list, '1')
redis.call('LRANGE', list, 0, -1)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 1000) end
return 1`

const NOTHING = 'return 1'
const NOTHING_DIGEST = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

/**
 * Tries on keys of its own all that a gate does. Rejects with what the server says.
 * @param prefix STATE_PREFIX
 */
export async function probeRights(call: Connection['call'], prefix: string): Promise<void> {
  const keys = ['hash', 'text', 'stream', 'list'].map((kind) => `${prefix}1:{probe}${kind}`)
  await call('EVAL', [ALL_IN_SCRIPTS, keys.length, ...keys])
  await call('EVAL', [NOTHING, 1, keys[0] ?? ''])
  await call('EVALSHA', [NOTHING_DIGEST, 1, keys[0] ?? ''])
  await call('XREAD', ['COUNT', 1, 'STREAMS', keys[2] ?? '', '0'])
  await call('SCAN', ['0', 'COUNT', 1])
}
