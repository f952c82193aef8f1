import { createHash } from 'node:crypto'

/** A script is sent once in full, and named by its digest from then on. */
export interface Script {
  readonly lua: string
  readonly digest: string
}

export interface Scripts {
  readonly beat: Script
  readonly write: Script
  readonly forget: Script
  readonly remove: Script
  readonly prune: Script
  readonly put: Script
  readonly replace: Script
  readonly claim: Script
  readonly push: Script
}

/** Lua that makes `now`: milliseconds of the server's clock. */
const SERVER_TIME = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`

/**
 * What a value begins with, in clear, since the server has no secret: the time until which it counts. A
 * record also tells who wrote it, whether it is silent and when it was last requested; a tombstone who wrote
 * it.
 */
const READING = `local function expiry(value) return tonumber(string.match(value, '^(%d+):')) or 0 end
local function text(number) return string.format('%.0f', number) end
local function grow(key, expiresAt)
  if redis.call('PTTL', key) < expiresAt - now then redis.call('PEXPIRE', key, text(expiresAt - now)) end
end
local function tombstone(key, id)
  local value = redis.call('HGET', key, 'x' .. id)
  return value and expiry(value) > now and value
end
local function hasMoved(key, id, gate, activeAt)
  local value = redis.call('HGET', key, 'r' .. id)
  local expires, other, _, active = string.match(value or '', '^(%d+):([^:]*):([01]):(%d+):')
  return expires and tonumber(expires) > now and other ~= gate and tonumber(active) > tonumber(activeAt)
end
`

/**
 * When there are too many fields: expired ones go, then silent records before playing ones and those that
 * expire first before others. Tombstones have their own bound.
 */
const BOUNDING = `local MOST = { r = 512, x = 2048 }
local function bound(key)
  if redis.call('HLEN', key) <= MOST.r then return end
  local all = redis.call('HGETALL', key)
  local kinds = { r = {}, x = {} }
  for i = 1, #all, 2 do
    local expiresAt = expiry(all[i + 1])
    local kind = kinds[string.sub(all[i], 1, 1)]
    if expiresAt <= now or not kind then
      redis.call('HDEL', key, all[i])
    else
      local silent = string.match(all[i + 1], '^%d+:[^:]*:([01]):') == '1'
      kind[#kind + 1] = { field = all[i], expiresAt = expiresAt, silent = silent }
    end
  end
  for name, kind in pairs(kinds) do
    table.sort(kind, function(a, b)
      if a.silent ~= b.silent then return a.silent end
      if a.expiresAt ~= b.expiresAt then return a.expiresAt < b.expiresAt end
      return a.field < b.field
    end)
    for i = 1, #kind - MOST[name] do redis.call('HDEL', key, kind[i].field) end
  end
end
`

/**
 * What is silent expires sooner than what plays. So when something goes silent, what has expired goes, and
 * the key with the last of the rest: viewers who never come back leave nothing, whoever looks.
 */
const FITTING = `local function fit(key)
  local all, latest = redis.call('HGETALL', key), 0
  for i = 1, #all, 2 do
    local expiresAt = expiry(all[i + 1])
    if expiresAt <= now then redis.call('HDEL', key, all[i]) end
    latest = math.max(latest, expiresAt)
  end
  if latest > now then redis.call('PEXPIRE', key, text(latest - now)) end
end
`

/** Each id with why it is not done, and the tombstone if that is why. */
const WRITE = `local done, gate, latest, went = {}, ARGV[1], 0, false
for i = 2, #ARGV, 5 do
  local id, expiresAt, silent, activeAt = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local ended = tombstone(KEYS[1], id)
  if ended then
    done[#done + 1] = { id, 'ended', ended }
  elseif silent == '1' and hasMoved(KEYS[1], id, gate, activeAt) then
    done[#done + 1] = { id, 'moved' }
  else
    local head = table.concat({ expiresAt, gate, silent, activeAt, '' }, ':')
    redis.call('HSET', KEYS[1], 'r' .. id, head .. ARGV[i + 4])
    latest = math.max(latest, tonumber(expiresAt))
    went = went or silent == '1'
  end
end
if latest > 0 then
  grow(KEYS[1], latest)
  bound(KEYS[1])
  if went then fit(KEYS[1]) end
end
return done`

/** As the writing of them, but for the name under another secret: there they are removed. */
const FORGET = `local done, gate = {}, ARGV[1]
for i = 2, #ARGV, 3 do
  local id, silent, activeAt = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local ended = tombstone(KEYS[1], id)
  if ended then
    done[#done + 1] = { id, 'ended', ended }
  elseif silent == '1' and hasMoved(KEYS[1], id, gate, activeAt) then
    done[#done + 1] = { id, 'moved' }
  else
    redis.call('HDEL', KEYS[1], 'r' .. id)
  end
end
return done`

/** A removal with a tombstone has a third part. What this gate has ended itself is done. */
const REMOVE = `local done, gate, latest = {}, ARGV[1], 0
for i = 3, #ARGV, 2 do
  local id, sealed = ARGV[i], ARGV[i + 1]
  redis.call('HDEL', KEYS[1], 'r' .. id)
  local ended = tombstone(KEYS[1], id)
  if ended then
    if string.match(ended, '^%d+:([^:]*):') ~= gate then done[#done + 1] = { id, 'ended', ended } end
  elseif sealed ~= '' then
    latest = now + tonumber(ARGV[2])
    redis.call('HSET', KEYS[1], 'x' .. id, text(latest) .. ':' .. gate .. ':' .. sealed)
  end
end
if latest > 0 then
  grow(KEYS[1], latest)
  bound(KEYS[1])
end
return done`

/** Removes what has expired, and returns the rest. */
const PRUNE = `local all, rest = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  if expiry(all[i + 1]) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  else
    rest[#rest + 1] = all[i]
    rest[#rest + 1] = all[i + 1]
  end
end
return rest`

/** Puts a field into a hash of at most ARGV[4]: what has expired goes, then what expires first. */
const PUT = `redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
grow(KEYS[1], tonumber(ARGV[2]))
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then
  local all, rest = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #all, 2 do rest[#rest + 1] = { field = all[i], expiresAt = expiry(all[i + 1]) } end
  table.sort(rest, function(a, b) return a.expiresAt < b.expiresAt end)
  local spare = #rest - tonumber(ARGV[4])
  for i, one in ipairs(rest) do
    if i <= spare or one.expiresAt <= now then redis.call('HDEL', KEYS[1], one.field) end
  end
end`

/** Replaces a value if it is still the one that was read; empty: nothing was there. */
const REPLACE = `local present = redis.call('GET', KEYS[1])
if (present or '') ~= ARGV[1] then return { 0 } end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { 1 }`

/** Adds to a list, which stays for ARGV[2] after that. */
const PUSH = `redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])`

const CLAIM = `local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

/** A write, since a replica and a full server answer reads. The epoch is gone when all else is gone. */
const BEAT = `redis.call('SET', KEYS[1], '', 'PX', 15000)
local epoch = redis.call('GET', KEYS[2]) or ARGV[1]
redis.call('SET', KEYS[2], epoch, 'PX', 90000000)
return { text(now), epoch }`

/** @param time Lua that makes `now`; only tests have another */
export function createScripts(time = SERVER_TIME): Scripts {
  const script = (...parts: readonly string[]): Script => {
    const lua = [time, ...parts].join('\n')
    return { lua, digest: createHash('sha1').update(lua).digest('hex') }
  }
  return {
    beat: script(READING, BEAT),
    write: script(READING, BOUNDING, FITTING, WRITE),
    forget: script(READING, FORGET),
    remove: script(READING, BOUNDING, REMOVE),
    prune: script(READING, PRUNE),
    put: script(READING, PUT),
    replace: script(REPLACE),
    claim: script(CLAIM),
    push: script(PUSH),
  }
}
