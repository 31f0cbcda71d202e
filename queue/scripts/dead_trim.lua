-- Keeps P:dead within its bounds: drops the oldest letters, a bounded piece a call.
-- ARGV[2] is not used, [3] how many letters may stay ('0' = any number), [4] how old they may be in ms ('0' = any age),
-- [5] the daemon's time in ms (it may be missing): what is not too old by both clocks stays.
-- Returns {dropped since they were too old, dropped since there were too many, 1 if there may be more to drop}.
local may_stay, may_be_old = tonumber(ARGV[3]), tonumber(ARGV[4])
local most_dropped, most_bytes, step = 512, 1024 * 1024, 16

local function bytes_of(entry)
  local bytes = 0
  for i = 2, #entry[2], 2 do bytes = bytes + #entry[2][i] end
  return bytes
end

-- How many of the first are older than that, as far as a call may look, and whether it has seen them all.
local function count_old()
  local count, bytes = 0, 0
  local last_old = math.min(now_ms(), tonumber(ARGV[5]) or math.huge) - may_be_old - 1
  if may_be_old == 0 or last_old < 0 then return 0, true end
  local from = '-'
  while count < most_dropped and bytes < most_bytes do
    local piece = redis.call('XRANGE', dead, from, ms_text(last_old), 'COUNT', step)
    for _, entry in ipairs(piece) do
      bytes = bytes + bytes_of(entry)
      from = '(' .. entry[1]
    end
    count = count + #piece
    if #piece < step then return count, true end
  end
  return count, false
end

local length = redis.call('XLEN', dead)
local old, all_seen = count_old()
local too_many = may_stay == 0 and 0 or math.max(0, length - may_stay)
local dropped = math.max(old, math.min(too_many, most_dropped))
if dropped > 0 then redis.call('XTRIM', dead, 'MAXLEN', '=', ms_text(length - dropped)) end
return {old, dropped - old, (not all_seen or too_many > dropped) and 1 or 0}
