-- One step of the governor that all workers share (jobs/governor/shared.py says what the steps are).
-- KEYS: calls in flight of the account, of the model, and the model's state. ARGV: step, its arguments as JSON.
-- Times are seconds by this server's clock, so that no worker's clock matters.

local ACCOUNT_CALLS, MODEL_CALLS, STATE = KEYS[1], KEYS[2], KEYS[3]
local KINDS = {"requests", "input_tokens", "output_tokens"}
local STATE_KEEP_SECONDS = 86400
local WINDOW_COLD = 8
local DOWN_AFTER_FAILURES = 5
local DOWN_PAUSE_SECONDS_MAX = 5
local OVERLOAD_SHARE_MAX = 0.3
local OVERLOAD_MEMORY = 0.9
local CUT_PAUSE_SECONDS = 2
local REQUESTS_PAUSE_SECONDS_DEFAULT = 5
local SCALE_MEMORY = 0.85
local SCALE_MARGIN = 1.2

local step, given = ARGV[1], cjson.decode(ARGV[2])
local clock = redis.call("TIME")
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local state = {}
do
  local flat = redis.call("HGETALL", STATE)
  for i = 1, #flat, 2 do state[flat[i]] = tonumber(flat[i + 1]) or flat[i + 1] end
end
local changed = {}

local function get(name, default)
  local value = state[name]
  if value == nil then return default end
  return value
end

local function set(name, value)
  state[name] = value
  changed[name] = value
end

local function save()
  local flat = {}
  for name, value in pairs(changed) do
    flat[#flat + 1] = name
    flat[#flat + 1] = type(value) == "number" and string.format("%.6f", value) or value
  end
  if #flat > 0 then
    redis.call("HSET", STATE, unpack(flat))
    redis.call("EXPIRE", STATE, STATE_KEEP_SECONDS)
  end
end

local function limit_of(kind)
  return given.limits[kind] or get(kind .. "_limit")
end

-- How much of a kind may be used at once. Until a header has told, a second's worth.
local function burst_of(kind)
  return get(kind .. "_burst", math.max(1, limit_of(kind) / 60))
end

local function level_of(kind)
  local burst = burst_of(kind)
  local since = now - get(kind .. "_at", now)
  return math.min(burst, get(kind .. "_level", burst) + since * limit_of(kind) / 60)
end

local function put_level(kind, level)
  set(kind .. "_level", level)
  set(kind .. "_at", now)
end

local function use(kind, amount)
  set(kind .. "_used", get(kind .. "_used", 0) + amount)
  if limit_of(kind) then put_level(kind, level_of(kind) - amount) end
end

local function window()
  if get("failures", 0) >= DOWN_AFTER_FAILURES then return 1 end
  return math.floor(math.min(get("window", WINDOW_COLD), given.calls_max))
end

local function block(seconds, why)
  if now + seconds > get("blocked_until", 0) then
    set("blocked_until", now + seconds)
    set("blocked_by", why)
  end
end

local function answer(reply)
  save()
  return cjson.encode(reply)
end

-- What is held back for a call: its estimate, corrected by what calls lately took of theirs.
local function reserve_of(kind, weight)
  local scale = get(kind .. "_scale")
  return scale and weight[kind] * scale * SCALE_MARGIN or weight[kind]
end

-- Until when nothing of a kind is left, in seconds from now; more than a full bucket is never waited for.
local function wait_for(kind, weight)
  if not limit_of(kind) then return 0 end
  local short = math.min(reserve_of(kind, weight), burst_of(kind)) - level_of(kind)
  return short > 0 and short * 60 / limit_of(kind) or 0
end

local function enter(call)
  redis.call("ZADD", ACCOUNT_CALLS, now + given.lease_seconds, call)
  redis.call("ZADD", MODEL_CALLS, now + given.lease_seconds, call)
end

-- What speaks against starting a call now, or nothing.
local function denial(weight)
  local blocked = get("blocked_until", 0) - now
  if blocked > 0 then return {wait_seconds = blocked, blocked_by = get("blocked_by")} end
  if redis.call("ZCARD", ACCOUNT_CALLS) >= given.calls_max or redis.call("ZCARD", MODEL_CALLS) >= window() then
    set("is_awaited", 1)
    local why = get("failures", 0) >= DOWN_AFTER_FAILURES and get("blocked_by") or nil
    return {is_full = true, blocked_by = why}
  end
  local wait = 0
  for _, kind in ipairs(KINDS) do wait = math.max(wait, wait_for(kind, weight)) end
  if wait > 0 then return {wait_seconds = wait} end
end

local function start(wanted)
  enter(wanted.call)
  local reserved, used = {}, {}
  for _, kind in ipairs(KINDS) do
    reserved[kind] = reserve_of(kind, wanted.weight)
    use(kind, reserved[kind])
    used[kind] = get(kind .. "_used")
  end
  return {taken_at = string.format("%.6f", now), reserved = reserved, used = used}
end

-- As many of the calls as may start, in their order, and why the next one may not.
local function take()
  redis.call("ZREMRANGEBYSCORE", ACCOUNT_CALLS, "-inf", now)
  redis.call("ZREMRANGEBYSCORE", MODEL_CALLS, "-inf", now)
  local taken, denied = {}, nil
  for _, wanted in ipairs(given.wanted) do
    denied = denial(wanted.weight)
    if denied then break end
    taken[#taken + 1] = start(wanted)
  end
  return answer({taken = #taken > 0 and taken or nil, denied = denied})
end

-- What the headers of an answer say of one kind. `remaining` was true when the provider admitted the call: what was
-- taken after it is not in it, and what was refilled since can only be guessed. So the level must lie between both.
local function learn(kind, limit, remaining)
  local is_new = get(kind .. "_limit") == nil
  set(kind .. "_limit", limit)
  local before = remaining + given.reserved[kind]
  set(kind .. "_burst", math.min(limit_of(kind), math.max(get(kind .. "_burst", 1), before)))
  local least = remaining - (get(kind .. "_used", 0) - given.used[kind])
  local most = least + (now - given.taken_at) * limit_of(kind) / 60
  if is_new then
    put_level(kind, least)
  elseif kind == "requests" then
    put_level(kind, math.min(math.max(level_of(kind), least), most))
  else
    put_level(kind, math.min(level_of(kind), most))
  end
end

local function hear()
  for _, kind in ipairs(KINDS) do
    local told = given.told[kind]
    if told and given.taken_at then learn(kind, told.limit, told.remaining) end
  end
  if given.told.requests and get("is_warm", 0) == 0 and given.is_good then
    set("is_warm", 1)
    set("window", given.calls_max)
  end
end

local function settle()
  for _, kind in ipairs(KINDS) do
    local real = given.spent[kind]
    if real then use(kind, real - (given.reserved[kind] or 0)) end
    -- What the provider read from its cache counts here: the next module is not there yet.
    local whole = real and kind == "input_tokens" and real + given.spent.cache_read_tokens or real
    if whole and given.is_whole and given.weight[kind] > 0 then
      local scale = whole / given.weight[kind]
      set(kind .. "_scale", get(kind .. "_scale", scale) * SCALE_MEMORY + scale * (1 - SCALE_MEMORY))
    end
  end
end

local function grow()
  set("failures", 0)
  set("trips", 0)
  set("answered_at", now)
  set("overload", get("overload", 0) * OVERLOAD_MEMORY)
  local size = math.min(get("window", WINDOW_COLD), given.calls_max)
  if get("is_warm", 0) == 0 then
    size = size + 1
  else
    size = size + 1 / size
  end
  set("window", math.min(size, given.calls_max))
end

-- A stray failure says nothing about the provider's load; many of them do.
local function shrink()
  set("overload", get("overload", 0) * OVERLOAD_MEMORY + 1 - OVERLOAD_MEMORY)
  if get("overload") < OVERLOAD_SHARE_MAX or now - get("cut_at", 0) < CUT_PAUSE_SECONDS then return end
  set("cut_at", now)
  set("is_warm", 1)
  set("window", math.max(1, math.min(get("window", WINDOW_COLD), given.calls_max) / 2))
end

-- When nothing is answered any more, ordering stops, and one call at a time looks whether it is over.
local function fail()
  local failures = get("failures", 0) + 1
  set("failures", failures)
  if failures < DOWN_AFTER_FAILURES or get("blocked_until", 0) > now then return end
  local trips = get("trips", 0)
  set("trips", trips + 1)
  set("is_warm", 0)
  set("window", WINDOW_COLD)
  block(math.min(DOWN_PAUSE_SECONDS_MAX, 2 ^ trips) * (0.5 + given.jitter / 2), given.code)
end

local function leave()
  redis.call("ZREM", ACCOUNT_CALLS, given.call)
  redis.call("ZREM", MODEL_CALLS, given.call)
  settle()
  hear()
  local was_answered = get("answered_at", 0) > (given.since or given.taken_at or now)
  if given.outcome == "answered" then
    grow()
  elseif given.outcome == "limited" then
    block(given.retry_after_seconds or REQUESTS_PAUSE_SECONDS_DEFAULT, given.code)
    if limit_of("requests") then put_level("requests", math.min(0, level_of("requests"))) end
    if not given.told.requests then set("window", math.max(1, window() / 2)) end
  elseif given.outcome == "failed" then
    if given.is_overload then shrink() end
    fail()
  end
  if get("is_awaited") == 1 then
    set("is_awaited", 0)
    redis.call("PUBLISH", given.channel, given.model)
  end
  return answer({was_answered = was_answered})
end

if step == "take" then return take() end
if step == "leave" then return leave() end
if step == "hear" then
  hear()
  return answer({heard = true})
end
for _, call in ipairs(given.calls) do enter(call) end
return answer({renewed = #given.calls})
