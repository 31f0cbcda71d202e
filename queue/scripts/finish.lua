-- Answers a job and takes the next: one round trip for a busy daemon.
-- ARGV[3] lane, [4] ticket, [5] reply key ('' = nobody to tell), [6] reply, [7] its time to live in ms,
-- [8] job id, [9] dead-letter reason ('' = none), [10] dead-letter message, [11...] as take.
-- Returns {finished, take's result}. finished: 1 done; 0 this delivery is not ours any more, nothing was changed;
-- 2 done, but the reply key holds something that is not a list, so the reply was published and not stored.
local lane, ticket, reply_to, reply = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local limits = limits_from(11)
local finished = 0
check_types()
if redis.call('HGET', owned_by(me), lane) == ticket then
  finished = 1
  local user = user_of(lane)
  redis.call('LLEN', lanes_of(user))  -- as check_types()
  redis.call('LLEN', backlog_of(user))
  local reason, message = ARGV[9], ARGV[10]
  if reply_to ~= '' then
    -- pcall: a key that the daemon's user may not touch concerns this job alone.
    local held = redis.pcall('TYPE', reply_to)
    held = held.err and 'thing that may not be touched' or held.ok
    if held ~= 'none' and held ~= 'list' then
      finished = 2
      if reason == '' then
        reason = 'invalid_job'
        message = 'the reply could not be stored: the key ' .. reply_to .. ' holds a ' .. held
      end
    end
  end
  local raw, deliveries
  if reason ~= '' then
    raw = redis.call('HGET', bodies, ticket) or ''
    deliveries = read_meta(ticket)
  end

  redis.call('LREM', lane_key(lane), 1, ticket)
  redis.call('HDEL', owned_by(me), lane)
  redis.call('HDEL', bodies, ticket)
  redis.call('HDEL', metas, ticket)
  if reply_to ~= '' then
    -- pcall: whatever a restricted user may not do, the lane must not be left between two states.
    if finished == 1 then
      redis.pcall('RPUSH', reply_to, reply)
      redis.pcall('PEXPIRE', reply_to, ARGV[7])
    end
    redis.pcall('PUBLISH', reply_to, reply)
  end
  if reason ~= '' then
    redis.call('XADD', dead, '*', 'id', ARGV[8], 'reason', reason, 'message', message, 'job', raw,
      'at', ms_text(now_ms()), 'attempts', deliveries)
  end
  -- To the end of the line: other conversations come first.
  if redis.call('EXISTS', lane_key(lane)) == 1 then make_ready(lane, false) end
  unpark(user, limits)
end
return {finished, take(limits)}
