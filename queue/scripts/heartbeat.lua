-- Renews this instance's lease, and takes the place of those whose lease is at an end: their lanes become ready,
-- in front, with one death more, and so does the request that they had taken.
-- ARGV[3] lease in ms, [4] '1' for a new instance, '2' for the first time at this server, else '0', [5] what it says of
-- itself, [6] the instance that it was before ('' = none), whose lanes go back uncounted if it is no longer
-- registered, since then no other instance would find them, [7] which database it has: '<its id>.<its place>', both in
-- hexadecimal digits ('' or missing = it has none to tell).
-- Lanes whose time has come are ready again, too.
-- Returns {alive, lanes taken back, lanes that this instance owns, lanes woken, jobs to be cancelled, 1 if paused}; or
-- the error OTHERDATABASE and which one, if another database serves this queue. This instance is not registered then.

local taken_back = 0

-- Whether nothing stayed behind.
local function take_back(instance, it_died)
  local owned, whole = owned_lanes(instance)
  for i = 1, #owned, 2 do
    give_back(instance, owned[i])
    if it_died then count_death(owned[i + 1]) end
    taken_back = taken_back + 1
  end
  return give_back_requests(instance, it_died) and whole
end

local function take_back_former()
  if ARGV[6] ~= '' and not redis.call('ZSCORE', instances, ARGV[6]) then take_back(ARGV[6], false) end
end

check_types()
local lease = tonumber(ARGV[3])
local lease_end = redis.call('ZSCORE', instances, me)

-- All instances of one queue share one database. Who has another one takes nothing and does not judge who is dead.
local database, mine = key('database'), ARGV[7] or ''
local told = redis.pcall('HGET', database, 'id')
local theirs = type(told) == 'string' and string.match(told, '^%x+%.%x+$') or mine  -- anything else is foreign
if mine ~= '' and theirs ~= mine then
  begin_to_write()
  if lease_end then
    take_back(me, false)  -- what stays behind is found by the next name of this daemon, as that of its former one
    redis.call('DEL', status_of(me))
    redis.call('ZREM', instances, me)
  end
  take_back_former()
  return redis.error_reply('OTHERDATABASE ' .. theirs)
end

if ARGV[4] ~= '1' and not lease_end then return {0, 0, 0, 0, 0, 0} end
local now = now_ms()
local renewed = ms_text(now + lease)
begin_to_write()
if ARGV[4] ~= '0' then
  local refusal = lacking_right()
  if refusal then return redis.error_reply(refusal) end
end
redis.call('ZADD', instances, renewed, me)
redis.call('SET', status_of(me), ARGV[5], 'PX', lease)
if mine ~= '' and type(redis.pcall('HSET', database, 'id', mine)) == 'number' then
  redis.call('PEXPIRE', database, lease)
end

-- Whose own lease has run out cannot tell who is dead: it was Redis that was away, or full, or its clock has jumped.
-- Then all get a new lease, and those that are dead indeed are found when that one ends.
if lease_end and tonumber(lease_end) <= now then
  for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, '-inf', ms_text(now))) do
    redis.call('ZADD', instances, renewed, instance)
  end
end
-- Whose own lease ends later than it ever could was renewed before the clock jumped back: as were all the others.
local most_slewed = 1000
if lease_end and tonumber(lease_end) > now + lease + most_slewed then
  for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, '(' .. renewed, '+inf')) do
    redis.call('ZADD', instances, renewed, instance)
  end
end

for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, '-inf', ms_text(now), 'LIMIT', 0, 16)) do
  if take_back(instance, true) then
    redis.call('DEL', status_of(instance))
    redis.call('ZREM', instances, instance)
  end
end
take_back_former()

-- In front, the one that was due first before the others.
local most_woken, longest_delay = 128, 600000
local function wake_due()
  local due = redis.pcall('ZRANGEBYSCORE', delayed, '-inf', ms_text(now), 'LIMIT', 0, most_woken)
  if due.err then return 0 end  -- something foreign: the lease must be renewed all the same
  -- No pause is so long: the clock was set back.
  for _, lane in ipairs(redis.call('ZRANGEBYSCORE', delayed, ms_text(now + longest_delay), '+inf', 'LIMIT', 0, most_woken)) do
    due[#due + 1] = lane
  end
  local woken = 0
  for i = #due, 1, -1 do
    if end_delay(due[i]) and redis.call('EXISTS', lane_key(due[i])) == 1 then
      line_up('LPUSH', due[i], user_of(due[i]))
      woken = woken + 1
    end
  end
  return woken
end

local woken = wake_due()
local asked = redis.pcall('LLEN', cancels)
return {1, taken_back, redis.call('HLEN', owned_by(me)), woken, type(asked) == 'number' and asked or 0,
  redis.call('EXISTS', key('paused'))}
