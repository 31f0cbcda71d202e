-- Takes the next request of P:admin; or gives the one again that this instance has taken and not finished, after an
-- answer was lost. Only a registered instance may take, since no other would bring back what an unregistered one had.
-- ARGV[3] the size of a job, in bytes, [4] reply_ttl, [5] reply_prefixes as take has them, [6] '1': the one taken before
-- cannot be delivered. Returns {0}: not registered;
-- {1}: there is none; {1, the request, how many died of it}; or {1, what was refused}: there are only requests that are
-- too large and cannot be buried now. Where many are too large, a call buries some of them and gives none.
local limits = {job_bytes = tonumber(ARGV[3]), reply_ttl = ARGV[4], reply_prefixes = ARGV[5]}
if not alive() then return {0} end
local mine = admin_taken_by(me)
redis.call('LLEN', admin)
redis.call('HLEN', admin_deaths)
local raw = redis.call('LINDEX', mine, -1)
local passed, refused, bytes = 0, nil, 0

if raw and ARGV[6] == '1' then
  redis.call('XLEN', dead)
  redis.call('LREM', mine, -1, raw)
  redis.call('HDEL', admin_deaths, redis.sha1hex(raw))
  refuse_undeliverable(raw, 'the request', '1', limits)
  raw = nil
end

-- Where something foreign stands in the place of P:dead it keeps its place in the list, and those behind it pass.
local function bury_unseen(large)
  local letters = redis.pcall('XLEN', dead)
  if type(letters) == 'table' then
    passed, refused = passed + 1, letters.err
    return
  end
  redis.call('LREM', admin, -1, large)
  bytes = bytes + #large
  refuse_for_size(large, 'the request', limits, ms_text(now_ms()))
end

for _ = 1, most_refused do
  if raw or bytes >= most_bytes_moved then break end
  local next_one = redis.call('LINDEX', admin, -1 - passed)
  if not next_one then break end
  if #next_one > 4 * limits.job_bytes then
    bury_unseen(next_one)
  else
    redis.call('LREM', admin, -1, next_one)
    redis.call('LPUSH', mine, next_one)
    raw = next_one
  end
end
if raw then return {1, raw, tonumber(redis.call('HGET', admin_deaths, redis.sha1hex(raw))) or 0} end
return {1, refused}
