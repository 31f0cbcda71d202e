-- Gives one delivery back for later: its lane waits until it is due, and nobody owns it meanwhile. The other jobs of the
-- lane wait behind. It counts as no death.
-- ARGV[3] lane, [4] ticket, [5] pause in ms, [6] why. Returns 1, or 0 if it is not ours any more.
local lane, ticket = ARGV[3], ARGV[4]
if redis.call('HGET', owned_by(me), lane) ~= ticket then return 0 end
check_types()
redis.call('ZSCORE', delayed, lane)
redis.call('HLEN', delays)
local now = now_ms()
local deliveries, deaths, first_seen, since = read_meta(ticket)
redis.call('HDEL', owned_by(me), lane)  -- first, so that a full Redis lets the others pass
write_meta(ticket, deliveries, deaths, first_seen, since ~= '' and since or ms_text(now))
redis.call('ZADD', delayed, ms_text(now + tonumber(ARGV[5])), lane)
redis.call('HSET', delays, lane, ARGV[6])
return 1
