import { MOST_OF_VIEWER } from '../store-engine.ts'
import { SAFE, TIME } from './shared-scripts.ts'

/**
 * The scripts about sessions. Their keys are the list of a viewer and the sessions that they are about; the
 * key of a session is the one of the list with its id behind it, so all lie on one server.
 *
 * A value begins with `r` where it is a record, with `x` where the session has ended. The list is one text,
 * so that 500 sessions are one reply. Its first line has four numbers: the last change, the bytes of all
 * records, their count, and when the first of them expires. Each further one is a session, the one that
 * changed last at the end. A server has no secret, so this is in clear.
 */

/** Milliseconds for which what has expired may stay in a list, so that it is seldom gone through. */
const TIDY_EVERY = 60_000

/** A change is the time in milliseconds, and larger than the last one: a list that expired repeats none. */
const LIST = `local list, text = KEYS[1], safe('GET', KEYS[1]) or ''
local last, sum, count, first, at = string.match(text, '^(%x+):(%x+):(%x+):(%x+)()\\n')
if not at then text, at = '\\n', 1 end
text = string.sub(text, at)
-- Only somebody else leaves a line without its end.
if string.sub(text, -1) ~= '\\n' then text = string.match(text, '^.*\\n') end
last, sum, count = tonumber(last or '0', 16), tonumber(sum or '0', 16), tonumber(count or '0', 16)
first = first and tonumber(first, 16) * 1000 or 1e15
local function hasEnded(key) return safe('GETRANGE', key, 0, 0) == 'x' end
local function take(id)
  local from, to = string.find(text, '\\n' .. id .. ':', 1, true)
  local stop = from and string.find(text, '\\n', to, true)
  if not stop then return end
  local state, bytes, gate = string.match(text, '^%x+:([psl]):(%x+):%x+:([^:\\n]*)', to + 1)
  return { from = from, stop = stop, state = state, bytes = tonumber(bytes or '0', 16), gate = gate or '' }
end
local function remove(was)
  text = string.sub(text, 1, was.from) .. string.sub(text, was.stop + 1)
  sum, count = math.max(0, sum - was.bytes), math.max(0, count - 1)
end
local function keep()
  if count == 0 then return redis.call('DEL', list) end
  redis.call('SET', list, string.format('%x:%x:%x:%x', last, sum, count, first / 1000) .. text, 'KEEPTTL')
end
`

/** Removes what has expired, then whoever gives way. Only then is the list gone through: a millisecond. */
const TIDY = `local function tidy()
  local from, stop, class, size, owner, held, latest = {}, {}, {}, {}, {}, {}, 0
  sum, count, first = 0, 0, 1e15
  for begins, state, bytes, expires, credential, ends in
    string.gmatch(text, '\\n()[^:\\n]+:%x+:([psl]):(%x+):(%x+):[^:\\n]*:([^\\n]*)()') do
    local at = tonumber(expires, 16) * 1000
    if at > now then
      local n = #from + 1
      from[n], stop[n], class[n], size[n], owner[n] = begins, ends, state, tonumber(bytes, 16), credential
      sum, count, first, latest = sum + size[n], count + 1, math.min(first, at), math.max(latest, at)
      held[credential] = (held[credential] or 0) + 1
    end
  end
  for _, state in ipairs({ 'l', 's', 'p' }) do
    while count > ${MOST_OF_VIEWER.sessions} or sum > ${MOST_OF_VIEWER.bytes} do
      local victim
      for n = 1, #from do
        if class[n] == state and (not victim or held[owner[n]] > held[owner[victim]]) then victim = n end
      end
      if not victim then break end
      held[owner[victim]], count, sum = held[owner[victim]] - 1, count - 1, sum - size[victim]
      class[victim] = 'gone'
      redis.call('DEL', list .. string.match(text, '^[^:]+', from[victim]))
    end
  end
  local kept = {}
  for n = 1, #from do
    if class[n] ~= 'gone' then kept[#kept + 1] = string.sub(text, from[n] - 1, stop[n] - 1) end
  end
  text = table.concat(kept) .. '\\n'
  return latest - now
end
`

/** A last change of eleven days ahead is nobody's. */
const WRITE = `local done, gate, longest = { tonumber(ARGV[1]) }, ARGV[2], 0
if last > now + 1e9 then last = 0 end
for i = 2, #KEYS do
  local key, at = KEYS[i], 3 + (i - 2) * 5
  local id, state, credential, keepFor, value = unpack(ARGV, at, at + 4)
  local was = take(id)
  if hasEnded(key) then
    done[i] = redis.call('GETRANGE', key, 1, -1)
  elseif state ~= 'p' and was and was.state == 'p' and was.gate ~= gate then
    done[i] = 0
  else
    if was then remove(was) end
    local ends = math.ceil((now + keepFor) / 1000)
    last, longest, first = math.max(last + 1, now), math.max(longest, keepFor), math.min(first, ends * 1000)
    sum, count = sum + #value, count + 1
    redis.call('SET', key, 'r' .. value, 'PX', keepFor)
    text = text .. id
      .. string.format(':%x:%s:%x:%x:%s:%s\\n', last, state, #value, ends, gate, credential)
    done[i] = 1
  end
end
if longest == 0 then return done end
local left = count == #KEYS - 1 and longest or math.max(longest, redis.call('PTTL', list))
if count > ${MOST_OF_VIEWER.sessions} or sum > ${MOST_OF_VIEWER.bytes} or now > first + ${TIDY_EVERY} then
  left = tidy()
end
keep()
if left > 0 then redis.call('PEXPIRE', list, left) end
return done`

/** Without a value nothing stays of it. */
const END = `local done = { tonumber(ARGV[1]) }
for i = 2, #KEYS do
  local key, at = KEYS[i], 2 + (i - 2) * 3
  local id, keepFor, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if hasEnded(key) then
    done[i] = { '', redis.call('GETRANGE', key, 1, -1) }
  else
    local was = take(id)
    if value == '' then redis.call('DEL', key) else redis.call('SET', key, 'x' .. value, 'PX', keepFor) end
    if was then remove(was) end
    done[i] = { was and was.gate or '' }
  end
end
keep()
return done`

/** The first parameter of each is its number, which its reply begins with. */
export const sessionScripts = {
  /** gate, then for each: id, state, credential, milliseconds, value. Returns 1, 0 (moved) or its end. */
  writeSessions: TIME + SAFE + LIST + TIDY + WRITE,
  /** For each: id, milliseconds, value. Returns the gate that told of it last, and how it had ended. */
  endSessions: SAFE + LIST + END,
} as const
