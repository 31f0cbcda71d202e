-- Ends one job or request before its time, whichever instance has it: it leaves its place, and the reply is given. The
-- instance that runs it finds out when it finishes. There is no dead letter: nothing is to be kept of it.
-- ARGV[2] is not used, [3] place, [4] ticket, [5] entry and [6] bytes as user_jobs names them, [7] reply key ('' =
-- nobody to tell), [8] reply, [9] its time to live in ms, [10] jobs in lanes, of all users, [11] of one user.
-- [12] '1': what runs is left alone.
-- Returns {1, or 0 if it is there no more or its lane has no place that is known, what was refused}.
local place, ticket, entry, raw = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local limits = {parked = tonumber(ARGV[10]), share = tonumber(ARGV[11])}

-- The instance that owns the lane, or the user under whose ready lanes it stands.
local function owner_of(lane)
  for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, '-inf', '+inf')) do
    if redis.pcall('HGET', owned_by(instance), lane) == ticket then return instance end
  end
end

local function line_of(lane)
  for _, user in ipairs({user_of(lane), ''}) do
    if type(redis.pcall('LPOS', lanes_of(user), lane)) == 'number' then return user end
  end
end

-- The lane that has this ticket, and at which place.
local function lane_with(body)
  for _, lane in ipairs({(lane_of(body, ticket, math.huge)), '~' .. ticket}) do
    local at = redis.pcall('LPOS', lane_key(lane), ticket)
    if type(at) == 'number' then return lane, at end
  end
end

local function step_out_of_line(lane, user)
  redis.call('LREM', lanes_of(user), 1, lane)
  if redis.call('EXISTS', lanes_of(user)) == 0 then redis.call('LREM', ready, 1, user) end
end

local function cancel_in_lane()
  local already_parked = check_types()
  local body = redis.call('HGET', bodies, ticket)
  if not body then return false end
  local lane, at = lane_with(body)
  local owner, line, waits
  if at == 0 then
    owner = owner_of(lane)
    if owner and ARGV[12] == '1' then return false end
    line = not owner and line_of(lane)
    waits = not owner and not line and type(redis.pcall('ZSCORE', delayed, lane)) == 'string'
    -- Owned by an instance that is not registered just now, which would finish it all the same.
    if not owner and not line and not waits then return false end
  end
  redis.call('HDEL', bodies, ticket)
  redis.call('HDEL', metas, ticket)
  if not lane then return true end  -- removed by an operator, or data restored in part
  redis.call('LREM', lane_key(lane), 1, ticket)
  local has_more = redis.call('EXISTS', lane_key(lane)) == 1
  if owner then
    redis.call('HDEL', owned_by(owner), lane)
    if has_more then line_up('RPUSH', lane, user_of(lane)) end
  elseif line and not has_more then
    step_out_of_line(lane, line)
  elseif waits then
    end_delay(lane)
    -- The next one has not been tried yet.
    if has_more then line_up('RPUSH', lane, user_of(lane)) end
  end
  unpark(user_of(lane), limits, math.max(1, limits.parked - already_parked + 1))
  return true
end

local function cancel_in_backlog()
  local length, start = string.match(entry, '^%S+ %d+ (%d+) ()')
  local backlog = backlog_of(user_of(string.sub(entry, start, start + length - 1)))
  if not length_of(backlog) or redis.call('LREM', backlog, -1, entry) == 0 then return cancel_in_lane() end
  count_behind('DECR')
  return true
end

local function cancel_request(list)
  redis.call('HLEN', admin_deaths)
  if redis.call('LREM', list, 1, raw) == 0 then return false end
  redis.call('HDEL', admin_deaths, redis.sha1hex(raw))
  return true
end

local cancelled
if place == 'lanes' then cancelled = cancel_in_lane()
elseif place == 'backlog' or place == 'odd' then cancelled = cancel_in_backlog()
elseif place == 'jobs' then cancelled = redis.call('LREM', jobs, 1, raw) == 1
elseif place == 'admin' then cancelled = cancel_request(admin)
else cancelled = cancel_request(admin_taken_by(entry)) end
if not cancelled then return {0, ''} end
local _, refused = deliver_reply(ARGV[7], ARGV[8], ARGV[9])
return {1, refused}
