-- Shared by every script of the queue; stands in front of each.
--
-- Keys, all below one prefix P (see docs/queue.md):
--   P:jobs        list    what producers push; the right end is next
--   P:ready       list    lanes with work and no owner; the left end is next
--   P:lane:<lane> list    tickets of one conversation in order; the first is the one to run or running
--   P:body        hash    ticket -> the job's bytes
--   P:meta        hash    ticket -> "deliveries deaths first_seen_ms"
--   P:owned:<i>   hash    lane -> ticket that instance i runs
--   P:instances   zset    instance -> when its lease ends, ms of Redis's clock
--   P:dead        stream  dead letters
--
-- A lane is in exactly one of three states: absent (no list); ready (its list has tickets, it stands once in
-- P:ready); owned (its list has tickets, it stands in one P:owned:<i> with its first ticket). Every script takes
-- lanes from one state to another and none leaves a lane between two.
--
-- Lua has no way back: each script checks what can be wrong before its first write, and shrinks before it grows,
-- since Redis lets a script that has begun to write finish even when it is out of memory.
--
-- KEYS[1] = P:jobs (it routes the call on a cluster), ARGV[1] = P, ARGV[2] = this instance.

if redis.replicate_commands then redis.replicate_commands() end  -- TIME before a write, on Redis 6.2

local prefix, me = ARGV[1], ARGV[2]
local function key(name) return prefix .. ':' .. name end
local jobs, ready, bodies, metas = key('jobs'), key('ready'), key('body'), key('meta')
local instances, dead = key('instances'), key('dead')
local function owned_by(instance) return key('owned:') .. instance end
local function lane_key(lane) return key('lane:') .. lane end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function ms_text(ms) return string.format('%.0f', ms) end

-- An instance lives until somebody has found its lease at an end and taken it out.
local function alive() return redis.call('ZSCORE', instances, me) ~= false end

local function read_meta(ticket)
  local text = redis.call('HGET', metas, ticket) or ''
  local deliveries, deaths, first_seen = string.match(text, '^(%d+) (%d+) (%d+)$')
  -- Lost, by an operator's hand or data restored in part: the job is as good as new.
  return tonumber(deliveries) or 0, tonumber(deaths) or 0, first_seen or ms_text(now_ms())
end

local function write_meta(ticket, deliveries, deaths, first_seen)
  redis.call('HSET', metas, ticket, deliveries .. ' ' .. deaths .. ' ' .. first_seen)
end

-- Fails now, before anything is written, if one of the queue's own keys holds something else.
local function check_types()
  redis.call('LLEN', jobs)
  redis.call('LLEN', ready)
  redis.call('XLEN', dead)
  redis.call('ZCARD', instances)
  redis.call('HLEN', metas)
  redis.call('HLEN', owned_by(me))
  return redis.call('HLEN', bodies)
end

local function count_death(ticket)
  local deliveries, deaths, first_seen = read_meta(ticket)
  write_meta(ticket, deliveries, deaths + 1, first_seen)
end

local function bounded_text(value) return type(value) == 'string' and #value >= 1 and #value <= 128 end

-- The lane of a job: one for each conversation. A job that does not name a conversation, or cannot be read, has a
-- lane of its own, except that repeats of one id meet in one lane. A lane of a conversation begins with a digit.
local function lane_of(raw, ticket)
  local readable, job = pcall(cjson.decode, raw)
  if not readable or type(job) ~= 'table' or not bounded_text(job.user_id) then return '~' .. ticket end
  local user = #job.user_id .. ':' .. job.user_id .. ':'
  if bounded_text(job.session_id) then return user .. job.session_id end
  if bounded_text(job.id) then return '~id:' .. user .. job.id end
  return '~' .. ticket
end

-- Moves up to `limit` jobs from P:jobs to their lanes. Tickets are named after `ticket_base`, which the caller never
-- uses twice. A job far over the size limit goes to the dead letters here, so that nobody has to carry it.
-- At most some megabytes are looked at in one call, since Redis does nothing else meanwhile.
local most_bytes_moved, most_bytes_taken = 2 * 1024 * 1024, 8 * 1024 * 1024

local function ingest(limit, max_parked, max_job_bytes, ticket_base, now)
  local parked = check_types()
  local moved, bytes = 0, 0
  while moved < limit and parked < max_parked and bytes < most_bytes_moved do
    local raw = redis.call('LINDEX', jobs, -1)
    if not raw then break end
    moved = moved + 1
    bytes = bytes + #raw
    local ticket = ticket_base .. '.' .. moved
    if #raw > 4 * max_job_bytes then
      redis.call('RPOP', jobs)
      redis.call('XADD', dead, '*', 'id', '', 'reason', 'invalid_job',
        'message', 'the job is ' .. #raw .. ' bytes, at most ' .. max_job_bytes .. ' are allowed',
        'job', raw, 'at', ms_text(now), 'attempts', '0')
    else
      local lane = '~' .. ticket
      if #raw <= max_job_bytes then lane = lane_of(raw, ticket) end
      -- Something foreign where the lane should be must not stop the others.
      if type(redis.pcall('LLEN', lane_key(lane))) ~= 'number' then lane = '~' .. ticket end
      redis.call('RPOP', jobs)
      redis.call('HSET', bodies, ticket, raw)
      write_meta(ticket, 0, 0, ms_text(now))
      if redis.call('RPUSH', lane_key(lane), ticket) == 1 then redis.call('RPUSH', ready, lane) end
      parked = parked + 1
    end
  end
  return moved
end

-- Takes up to `limit` ready lanes for this instance: {lane, ticket, body, deliveries, deaths, first_seen_ms} each.
local function claim(limit)
  local taken, bytes = {}, 0
  while #taken < limit and bytes < most_bytes_taken do
    local lane = redis.call('LPOP', ready)
    if not lane then break end
    local ticket = redis.pcall('LINDEX', lane_key(lane), 0)
    if type(ticket) ~= 'string' then ticket = nil end  -- nothing there, or something foreign
    local raw = ticket and redis.call('HGET', bodies, ticket)
    if raw then
      bytes = bytes + #raw
      local deliveries, deaths, first_seen = read_meta(ticket)
      write_meta(ticket, deliveries + 1, deaths, first_seen)
      redis.call('HSET', owned_by(me), lane, ticket)
      taken[#taken + 1] = {lane, ticket, raw, deliveries + 1, deaths, first_seen}
    elseif ticket then
      -- A ticket without a body: an operator's hand, or data restored in part. Step over it.
      redis.call('LPOP', lane_key(lane))
      redis.call('HDEL', metas, ticket)
      if redis.call('EXISTS', lane_key(lane)) == 1 then redis.call('LPUSH', ready, lane) end
    end
  end
  return taken
end

-- What take and finish have in common: arguments from `first` on are ingest limit, claim limit, most parked,
-- most bytes of a job, ticket base. Returns {alive, now_ms, left in P:jobs and P:ready, claimed}.
local function take_from(first)
  local now = now_ms()
  if not alive() then return {0, ms_text(now), redis.call('LLEN', jobs), {}} end
  ingest(tonumber(ARGV[first]), tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), ARGV[first + 4], now)
  local taken = claim(tonumber(ARGV[first + 1]))
  return {1, ms_text(now), redis.call('LLEN', jobs) + redis.call('LLEN', ready), taken}
end

-- Makes an owned lane ready again, in front, its first ticket undone.
local function give_back(instance, lane)
  redis.call('HDEL', owned_by(instance), lane)
  if redis.call('EXISTS', lane_key(lane)) == 1 then redis.call('LPUSH', ready, lane) end
end
