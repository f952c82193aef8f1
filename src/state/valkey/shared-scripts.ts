import { FORGOTTEN, MOST_OF_COOKIE, MOST_OF_INBOX } from '../store-engine.ts'

/** Milliseconds for which the counter and the identity outlive the last heartbeat; longer than all else. */
const KEEP = 8 * 24 * 3_600_000
/** A larger number of the store's is nobody's: whoever has the password could end all counting by it. */
const MOST = 2 ** 52

export const TIME = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

/** What somebody has put there under another type goes: else it would stand in the way for ever. */
export const SAFE = `local function safe(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then redis.call('DEL', key) end
  return redis.call(command, key, ...)
end
`

const COUNTER = `local function counterOf(key, known)
  local number = tonumber(safe('GET', key) or '0')
  if not (number and number >= 0 and number < ${MOST}) then number = 0 end
  return math.max(math.floor(number), tonumber(known))
end
local function count(key, number)
  redis.call('SET', key, string.format('%.0f', number), 'PX', ${KEEP})
  return number
end
`

/**
 * An inbox is a hash: each letter under its number, with its time; `f` and `l` are the first and the last
 * number, `b` the bytes. What does not fit together is thrown away, so that nothing walks for ever.
 */
const INBOX = `local function open(key)
  local told = safe('HMGET', key, 'f', 'l', 'b')
  local f, l, b = tonumber(told[1] or ''), tonumber(told[2] or ''), tonumber(told[3] or '')
  if f and l and b and l - f + 4 == redis.call('HLEN', key) then return f, l, b end
  redis.call('DEL', key)
end
local function remove(key, number, b)
  local size = redis.call('HSTRLEN', key, number)
  redis.call('HDEL', key, number)
  return b - size
end
local function close(key, f, l, b)
  local text = function(number) return string.format('%.0f', number) end
  redis.call('HSET', key, 'f', text(f), 'l', text(l), 'b', text(b))
  redis.call('PEXPIRE', key, ${MOST_OF_INBOX.age})
end
`

/** Of a gate in the roster: when it was heard of, and the last letter that it has applied. */
const ROSTER = `local function seen(entry)
  local time, have = string.match(entry or '', '^(%d+):(%d+):')
  return tonumber(time or '0'), tonumber(have or '0')
end
local function prune(gates)
  local all = safe('HGETALL', gates)
  for i = 1, #all, 2 do
    if now - seen(all[i + 1]) > ${FORGOTTEN} then redis.call('HDEL', gates, all[i]) end
  end
  return all
end
`

/**
 * Letters up to the one that the gate has are removed, and the next ones returned. Where the last one is
 * behind it the inbox was lost: it goes on from there, so that no number is ever given twice.
 */
const BEAT = `local gates, counter, identity, wide, inbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local gate, have, most = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])
local told = string.format('%.0f:%.0f:', now, have) .. ARGV[6]
if safe('HSET', gates, gate, told) == 1 then prune(gates) end
redis.call('PEXPIRE', gates, ${FORGOTTEN})
redis.call('PEXPIRE', identity, ${KEEP})
local number = count(counter, counterOf(counter, ARGV[3]))
local version = tonumber(safe('HGET', wide, 'n') or '0') or 0
local out = { tonumber(ARGV[1]), number, now, version, safe('GETRANGE', identity, 0, 21), 0 }
local f, l, b = open(inbox)
if not f then
  if have == 0 then return out end
  f, l, b, out[6] = have + 1, have, 0, 1
elseif l < have then
  redis.call('DEL', inbox)
  f, l, b, out[6] = have + 1, have, 0, 1
end
for letter = f, math.min(have, l) do b = remove(inbox, letter, b) end
f = math.max(f, math.min(have, l) + 1)
if f > have + 1 or (f > l and l > have) then out[6] = 1 end
if f > l then l, f = have, have + 1 end
local bytes = 0
for letter = f, l do
  local value = redis.call('HGET', inbox, letter) or '0:'
  bytes = bytes + #value
  if letter > f and bytes > most then break end
  out[#out + 1] = letter
  out[#out + 1] = string.match(value, '^%d+:(.*)$') or ''
end
close(inbox, f, l, b)
return out`

const POST = `local numbers = { tonumber(ARGV[1]) }
for i = 2, #KEYS do
  local key, gate, value = KEYS[i], ARGV[2 * i - 2], string.format('%.0f:', now) .. ARGV[2 * i - 1]
  local f, l, b = open(key)
  if not f then
    local _, have = seen(safe('HGET', KEYS[1], gate))
    f, l, b = have + 1, have, 0
  end
  l, b = l + 1, b + #value
  redis.call('HSET', key, l, value)
  while f < l do
    local oldest = redis.call('HGET', key, f) or ''
    local time = tonumber(string.match(oldest, '^%d+') or '0')
    if b <= ${MOST_OF_INBOX.bytes} and now - time <= ${MOST_OF_INBOX.age} then break end
    b, f = remove(key, f, b), f + 1
  end
  close(key, f, l, b)
  numbers[i] = l
end
return numbers`

const GATES = `local all, out = prune(KEYS[1]), { tonumber(ARGV[1]) }
for i = 1, #all, 2 do
  local time, have = seen(all[i + 1])
  if now - time <= ${FORGOTTEN} then
    out[#out + 1] = { all[i], math.max(0, now - time), have, string.match(all[i + 1], '^%d+:%d+:(.*)$') or '' }
  end
end
return out`

const GOODBYE = `redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
return { tonumber(ARGV[1]) }`

const NEXT = `return { tonumber(ARGV[1]), count(KEYS[1], counterOf(KEYS[1], ARGV[2]) + 1) }`

/** What has no room for a name and a key is nobody's. */
const IDENTIFY = `if #(safe('GET', KEYS[1]) or '') <= 22 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ${KEEP}) end
return { tonumber(ARGV[1]), safe('GET', KEYS[1]) }`

const SEAL_ANEW = `if safe('GET', KEYS[1]) == ARGV[2] then redis.call('SET', KEYS[1], ARGV[3], 'PX', ${KEEP}) end
return { tonumber(ARGV[1]) }`

/** A version that is gone was smaller than the time in milliseconds, for nobody changes that often. */
const REPLACE_WIDE = `local version = tonumber(safe('HGET', KEYS[1], 'n') or '0') or 0
if version ~= tonumber(ARGV[2]) then return { tonumber(ARGV[1]), 0 } end
redis.call('HSET', KEYS[1], 'n', string.format('%.0f', math.max(version, now) + 1), 'v', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { tonumber(ARGV[1]), 1 }`

const REPLACE_USER = `if (safe('GET', KEYS[1]) or '') ~= ARGV[2] then return { tonumber(ARGV[1]), 0 } end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return { tonumber(ARGV[1]), 1 }`

const MARK_USER = `local present = tonumber(string.match(safe('GET', KEYS[1]) or '', '^(%d+):') or '')
if not present or present < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[2] .. ':' .. ARGV[3], 'PX', ARGV[4])
end
return { tonumber(ARGV[1]) }`

const ADD_COOKIE = `safe('LREM', KEYS[1], 0, ARGV[2])
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], -${MOST_OF_COOKIE}, -1)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return { tonumber(ARGV[1]) }`

/** All commands that a gate needs; in a cluster `cluster|slots` and `asking` beside them. */
export const neededCommands = [
  ...['eval', 'evalsha', 'time', 'get', 'set', 'getrange', 'mget', 'del', 'pttl', 'pexpire'],
  ...['hget', 'hset', 'hdel', 'hlen', 'hgetall', 'hmget', 'hstrlen', 'lrem', 'rpush', 'ltrim', 'lrange'],
] as const

/** Tries all of them on keys of its own; what they leave is gone after a second. */
const PROBE = `local text, hash, list = KEYS[1], KEYS[2], KEYS[3]
for _, command in ipairs({
  { 'TIME' }, { 'SET', text, '1', 'PX', 1000 }, { 'GET', text }, { 'GETRANGE', text, 0, 0 }, { 'MGET', text },
  { 'HSET', hash, 'a', '1', 'b', '1' }, { 'HGET', hash, 'a' }, { 'HMGET', hash, 'a' }, { 'HSTRLEN', hash, 'a' },
  { 'HLEN', hash }, { 'HGETALL', hash }, { 'HDEL', hash, 'b' }, { 'PTTL', hash }, { 'PEXPIRE', hash, 1000 },
  { 'RPUSH', list, '1' }, { 'LREM', list, 0, '2' }, { 'LRANGE', list, 0, -1 }, { 'LTRIM', list, -1, -1 },
  { 'DEL', list },
}) do redis.call(unpack(command)) end
return { tonumber(ARGV[1]) }`

/** The first parameter of each is its number, which its reply begins with. */
export const sharedScripts = {
  /** Its keys are one of each type. */
  probe: PROBE,
  /** gate, number, have, most, entry. */
  beat: TIME + SAFE + COUNTER + INBOX + ROSTER + BEAT,
  /** For each inbox: gate, letter. Returns the number of each. */
  post: TIME + SAFE + INBOX + ROSTER + POST,
  /** Returns of each gate: its name, age, last letter, entry. */
  roster: TIME + SAFE + ROSTER + GATES,
  /** gate. */
  goodbye: GOODBYE,
  /** The number that is known. */
  nextNumber: SAFE + COUNTER + NEXT,
  /** Name and key in one; returns those that count. */
  identify: SAFE + IDENTIFY,
  /** Name and key before, and after. */
  sealAnew: SAFE + SEAL_ANEW,
  /** The version before, value, milliseconds. Returns whether it is done, as the next one. */
  replaceWide: TIME + SAFE + REPLACE_WIDE,
  /** The version before, version and value, milliseconds. */
  replaceUser: SAFE + REPLACE_USER,
  /** The number, value, milliseconds. */
  markUser: SAFE + MARK_USER,
  /** Viewer, milliseconds. */
  addCookie: SAFE + ADD_COOKIE,
} as const
