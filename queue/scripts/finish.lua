-- Answers a job and takes the next: one round trip for a busy daemon.
-- ARGV[3] lane, [4] ticket, [5] reply key ('' = nobody to tell), [6] reply, [7] its time to live in ms,
-- [8] job id, [9] dead-letter reason ('' = none), [10] dead-letter message, [11...] as take.
-- Returns {finished, take's result, what was refused}. finished: 1 done; 0 this delivery is not ours any more, nothing
-- was changed; 2 done, but the reply could not be stored, only published.
local lane, ticket, reply_to, reply = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local reason, message = ARGV[9], ARGV[10]
local limits = limits_from(11)
local finished, refused = 0, ''

local is_alive, already_parked = alive(), check_types()
if redis.call('HGET', owned_by(me), lane) == ticket then
  finished = 1
  local user = user_of(lane)
  if reason ~= '' then redis.call('XLEN', dead) end

  redis.call('LREM', lane_key(lane), 1, ticket)
  redis.call('HDEL', owned_by(me), lane)
  local stored
  stored, refused = deliver_reply(reply_to, reply, ARGV[7])
  if not stored then
    finished = 2
    if reason == '' then reason, message = 'invalid_job', not_stored_at(reply_to, refused) end
  end
  local raw, deliveries
  if reason ~= '' then
    raw = redis.call('HGET', bodies, ticket) or ''
    deliveries = read_meta(ticket)
  end
  redis.call('HDEL', bodies, ticket)
  redis.call('HDEL', metas, ticket)
  -- To the end of the line: other conversations come first.
  if redis.call('EXISTS', lane_key(lane)) == 1 then line_up('RPUSH', lane, user) end
  already_parked = already_parked - 1
  already_parked = already_parked + unpark(user, limits, math.max(1, limits.parked - already_parked))
  if reason ~= '' then
    local buried = bury(raw, ARGV[8], reason, message, deliveries, ms_text(now_ms()))
    if buried.err then refused = buried.err end
  end
end
return {finished, take(limits, is_alive, already_parked), refused}
