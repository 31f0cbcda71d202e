-- Takes the next request of P:admin; or gives the one again that this instance has taken and not finished, after an
-- answer was lost. Only who is registered may take, since nobody would bring back what another had.
-- ARGV[3] the size of a job, in bytes. Returns {1 if registered, the request, how many died of it}; the latter two only
-- if there is one.
local most_refused = 16
local job_bytes = tonumber(ARGV[3])
if not alive() then return {0} end
local mine = admin_taken_by(me)
redis.call('LLEN', admin)
redis.call('HLEN', admin_deaths)
local raw = redis.call('LINDEX', mine, -1)
for _ = 1, most_refused do
  if raw then break end
  local next_one = redis.call('LINDEX', admin, -1)
  if not next_one then return {1} end
  if #next_one > 4 * job_bytes then
    redis.call('XLEN', dead)  -- as check_types()
    redis.call('RPOP', admin)
    bury(next_one, '', 'invalid_job', 'the request is ' .. #next_one .. ' bytes, at most ' .. job_bytes ..
      ' are allowed', '0', ms_text(now_ms()))
  else
    redis.call('RPOP', admin)
    redis.call('LPUSH', mine, next_one)
    raw = next_one
  end
end
if not raw then return {1} end
return {1, raw, tonumber(redis.call('HGET', admin_deaths, redis.sha1hex(raw))) or 0}
