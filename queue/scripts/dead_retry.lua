-- Puts dead letters back: for each, the push onto P:jobs and the end of the entry are one step.
-- ARGV[2] is not used, ARGV[3...] entries of P:dead. Returns for each, in order: 'retried'; 'gone', there is no such entry
-- (any more); 'empty', it holds no job and is kept; 'later', the call had moved enough before it came to this one.
local most_bytes_retried = 2 * 1024 * 1024

local function job_of(entry)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'job' then return fields[i + 1] end
  end
  return ''
end

redis.call('LLEN', jobs)
redis.call('XLEN', dead)
-- A write that changes nothing. It fails here if entries may not be deleted, and after it a full Redis lets the push
-- pass, so that pushing first is safe: should that be refused, the entry is still there.
redis.call('XDEL', dead, '0-0')

local results, bytes = {}, 0
for i = 3, #ARGV do
  local result = 'later'
  if bytes < most_bytes_retried then
    local entry = redis.call('XRANGE', dead, ARGV[i], ARGV[i])[1]
    local raw = entry and job_of(entry)
    if not entry then
      result = 'gone'
    elseif raw == '' then
      result = 'empty'
    else
      redis.call('LPUSH', jobs, raw)
      redis.call('XDEL', dead, ARGV[i])
      bytes = bytes + #raw
      result = 'retried'
    end
  end
  results[#results + 1] = result
end
return results
