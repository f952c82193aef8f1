import { MOST_OF_VIEWER } from '../store-engine.ts'
import { SAFE, TIME } from './shared-scripts.ts'

/**
 * The scripts about sessions. Their keys are the list of a viewer and the sessions that they are about; the
 * key of a session is the one of the list with its id behind it, so all lie on one server.
 *
 * What lies there: a value begins with `r` where it is a record, with `x` where the session has ended. The
 * list is a hash: under each id what READING reads, and under `#` three numbers of all: the last change, the
 * bytes of all records, and when the first of them expires. A server has no secret, so this is in clear.
 */

/** Milliseconds for which what has expired may stay in a list, so that it is seldom read as a whole. */
const TIDY_EVERY = 60_000

/** A change is the time in milliseconds, and larger than the last one: a list that expired repeats none. */
const READING = `local list, marker = KEYS[1], { record = 'r', ended = 'x' }
local function entry(text)
  local change, state, bytes, expires, gate, credential =
    string.match(text or '', '^(%x+):([psl]):(%x+):(%x+):([^:]*):(.*)$')
  return change and { change = tonumber(change, 16), state = state, bytes = tonumber(bytes, 16),
    expires = tonumber(expires, 16) * 1000, gate = gate, credential = credential }
end
local last, sum, first = string.match(safe('HGET', list, '#') or '', '^(%x+):(%x+):(%x+)$')
last, sum = tonumber(last or '0', 16), tonumber(sum or '0', 16)
first = first and tonumber(first, 16) * 1000 or 1e15
local function keep() redis.call('HSET', list, '#', string.format('%x:%x:%x', last, sum, first / 1000)) end
local function hasEnded(key) return safe('GETRANGE', key, 0, 0) == marker.ended end
local function forget(id, one)
  redis.call('HDEL', list, id)
  sum = math.max(0, sum - one.bytes)
end
`

const WRITE = `local done, gate, longest = { tonumber(ARGV[1]) }, ARGV[2], 0
for i = 2, #KEYS do
  local key, at = KEYS[i], 3 + (i - 2) * 5
  local id, state, credential, keepFor, value = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local was = not hasEnded(key) and entry(redis.call('HGET', list, id))
  if was == false then
    done[i] = redis.call('GETRANGE', key, 1, -1)
  elseif state ~= 'p' and was and was.state == 'p' and was.gate ~= gate then
    done[i] = 0
  else
    local expires = math.ceil((now + keepFor) / 1000)
    last, longest, first = math.max(last + 1, now), math.max(longest, keepFor), math.min(first, expires * 1000)
    sum = math.max(0, sum + #value - (was and was.bytes or 0))
    redis.call('SET', key, marker.record .. value, 'PX', keepFor)
    redis.call('HSET', list, id,
      string.format('%x:%s:%x:%x:%s:%s', last, state, #value, expires, gate, credential))
    done[i] = 1
  end
end
if longest == 0 then return done end
local count = redis.call('HLEN', list)
if count <= 2 or redis.call('PTTL', list) < longest then redis.call('PEXPIRE', list, longest) end
if count > ${MOST_OF_VIEWER.sessions} + 1 or sum > ${MOST_OF_VIEWER.bytes} or now > first + ${TIDY_EVERY} then tidy() end
keep()
return done`

/** Removes what has expired, then whoever gives way. Only then is the list read as a whole. */
const TIDY = `local function tidy()
  local all, classes, held, count, latest = redis.call('HGETALL', list), { l = {}, s = {}, p = {} }, {}, 0, 0
  sum, first = 0, 1e15
  for i = 1, #all, 2 do
    local id, one = all[i], all[i] ~= '#' and entry(all[i + 1])
    if one and one.expires > now then
      one.id, count, sum = id, count + 1, sum + one.bytes
      first, latest = math.min(first, one.expires), math.max(latest, one.expires)
      held[one.credential] = (held[one.credential] or 0) + 1
      table.insert(classes[one.state], one)
    elseif id ~= '#' then
      redis.call('HDEL', list, id)
    end
  end
  for _, state in ipairs({ 'l', 's', 'p' }) do
    local class = classes[state]
    if count > ${MOST_OF_VIEWER.sessions} or sum > ${MOST_OF_VIEWER.bytes} then
      table.sort(class, function(a, b) return a.change < b.change end)
    end
    while #class > 0 and (count > ${MOST_OF_VIEWER.sessions} or sum > ${MOST_OF_VIEWER.bytes}) do
      local victim = 1
      for i, one in ipairs(class) do
        if held[one.credential] > held[class[victim].credential] then victim = i end
      end
      local one = table.remove(class, victim)
      held[one.credential], count = held[one.credential] - 1, count - 1
      forget(one.id, one)
      redis.call('DEL', list .. one.id)
    end
  end
  if latest > now then redis.call('PEXPIRE', list, latest - now) end
end
`

/** Without a value nothing stays of it. */
const END = `local done = { tonumber(ARGV[1]) }
for i = 2, #KEYS do
  local key, at = KEYS[i], 2 + (i - 2) * 3
  local id, keepFor, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if hasEnded(key) then
    done[i] = { '', redis.call('GETRANGE', key, 1, -1) }
  else
    local was = entry(redis.call('HGET', list, id))
    if value == '' then redis.call('DEL', key) else redis.call('SET', key, marker.ended .. value, 'PX', keepFor) end
    if was then forget(id, was) end
    done[i] = { was and was.gate or '' }
  end
end
if redis.call('HLEN', list) > 1 then keep() else redis.call('DEL', list) end
return done`

/** The first parameter of each is its number, which its reply begins with. */
export const sessionScripts = {
  /** gate, then for each: id, state, credential, milliseconds, value. Returns 1, 0 (moved) or its end. */
  writeSessions: TIME + SAFE + READING + TIDY + WRITE,
  /** For each: id, milliseconds, value. Returns the gate that told of it last, and how it had ended. */
  endSessions: SAFE + READING + END,
} as const
