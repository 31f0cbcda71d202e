-- Answers a request of P:admin.
-- ARGV[3] the request, [4] reply key ('' = nobody to tell), [5] reply, [6] its time to live in ms, [7] id,
-- [8] dead-letter reason ('' = none), [9] dead-letter message.
-- Returns {finished, what was refused}; finished as in finish: 1 done; 0 this request is not ours any more, nothing was
-- changed; 2 done, but the reply could not be stored, only published.
local raw, reply_to, reason, message = ARGV[3], ARGV[4], ARGV[8], ARGV[9]
redis.call('HLEN', admin_deaths)
if reason ~= '' then redis.call('XLEN', dead) end
if redis.call('LREM', admin_taken_by(me), 1, raw) == 0 then return {0, ''} end

local finished = 1
local deaths = tonumber(redis.call('HGET', admin_deaths, redis.sha1hex(raw))) or 0
redis.call('HDEL', admin_deaths, redis.sha1hex(raw))
local stored, refused = deliver_reply(reply_to, ARGV[5], ARGV[6])
if not stored then
  finished = 2
  if reason == '' then reason, message = 'invalid_job', not_stored_at(reply_to, refused) end
end
if reason ~= '' then
  local buried = bury(raw, ARGV[7], reason, message, deaths + 1, ms_text(now_ms()))
  if buried.err then refused = buried.err end
end
return {finished, refused}
