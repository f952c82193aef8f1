-- wrk's script: sends requests that were prepared before, and new ones between them.
--   wrk … -s replay.lua url -- <known> <newcomers> <every> <first> <last> <pace>
-- known, newcomers: files of requests, with a NUL after each. Every <every>-th request is a newcomer's (0: none).
-- It is made from one of the templates and a number that counts up from <first>. After number <last> (0: never)
-- only known requests are sent. With a pace, each connection waits 0 to <pace> ms before each request.

local known, templates = {}, {}
local every, number, last
local at, turn = 0, 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  local entries = {}
  for entry in text:gmatch("[^%z]+") do entries[#entries + 1] = entry end
  return entries
end

function init(args)
  known = read(args[1])
  for i, text in ipairs(read(args[2])) do
    local head, middle, tail = text:match("^(.-){number}(.-){address}(.*)$")
    templates[i] = { head = head, middle = middle, tail = tail }
  end
  every, number, last = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  local pace = tonumber(args[6])
  if pace > 0 then
    function delay() return math.random(0, pace) end
  end
end

local function newcomer()
  local n = number
  number = n + 1
  local template = templates[n % #templates + 1]
  local address = "10." .. math.floor(n / 65536) % 256 .. "." .. math.floor(n / 256) % 256 .. "." .. n % 256
  return template.head .. n .. template.middle .. address .. template.tail
end

function request()
  turn = turn + 1
  if every > 0 and turn % every == 0 and (last == 0 or number <= last) then return newcomer() end
  at = at % #known + 1
  return known[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d,"refused":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
