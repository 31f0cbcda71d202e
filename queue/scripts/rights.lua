-- Stands between common.lua and the scripts that try their rights first.

-- The first of these commands that Redis refuses, with what it says; nothing if it takes all.
local function first_refused(commands)
  for _, command in ipairs(commands) do
    local answer = redis.pcall(unpack(command))
    if type(answer) == 'table' and answer.err then return command[1] .. ': ' .. answer.err end
  end
end

-- A script that is refused a command after its first write would leave a job half moved. So whoever may not run all of
-- them does not begin. Returns what was refused.
local function lacking_right()
  local probe = key('probe')
  local refused = first_refused({
    {'DEL', probe}, {'PEXPIRE', probe, '1000'}, {'SET', probe, '1', 'PX', '1000'}, {'INCR', probe}, {'DECR', probe},
    {'EXISTS', probe}, {'DEL', probe}, {'ZADD', probe, '1', '1'}, {'ZRANGEBYSCORE', probe, '1', '1'}, {'DEL', probe},
    {'RPUSH', probe, '1'}, {'LPUSH', probe, '1'}, {'LINDEX', probe, '0'}, {'LLEN', probe}, {'LREM', probe, '1', '1'},
    {'LPOS', probe, '1'}, {'LRANGE', probe, '0', '0'}, {'RENAME', probe, probe}, {'PERSIST', probe}, {'LPOP', probe},
    {'RPOP', probe}, {'HSET', probe, '1', '1'}, {'HINCRBY', probe, '1', '1'}, {'HGET', probe, '1'}, {'HGETALL', probe},
    {'HSCAN', probe, '0'}, {'HLEN', probe}, {'HDEL', probe, '1'}, {'XADD', probe, '*', '1', '1'}, {'XLEN', probe},
    {'XRANGE', probe, '-', '+'}, {'DEL', probe},
  })
  if refused then redis.pcall('DEL', probe) end
  return refused
end

