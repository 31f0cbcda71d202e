-- Removes the dead letters of one user, or of some of his jobs, a piece at a time: P:dead is copied without them, and at
-- the end the copy takes its place. XDEL alone would only mark them: their text stays in memory, and in what Redis saves,
-- for as long as one of their neighbours lives.
-- ARGV[2] is not used, [3] user, [4] key of the copy, [5] the last entry that was copied ('' = none yet), [6] how many
-- were left out so far, [7] and on: ids of the jobs (none: all of his). Returns {'more', last entry, left out};
-- {'done', '', left out}; or {'again', '', 0}: an entry was taken away meanwhile, the copy is dropped.
local user, copy, last, left_out = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local most_entries, most_bytes, step, copy_lives_ms = 256, 1024 * 1024, 16, 60000
if redis.call('XLEN', dead) == 0 then
  redis.call('DEL', copy, dead)
  return {'done', '', left_out}
end

local wanted = #ARGV > 6 and {} or nil
for i = 7, #ARGV do wanted[ARGV[i]] = true end

local function put_over(entry)
  local fields, bytes, named = entry[2], 0, {}
  for i = 1, #fields, 2 do
    bytes = bytes + #fields[i + 1]
    named[fields[i]] = fields[i + 1]
  end
  if named.job and (not wanted or wanted[named.id or '']) and belongs_to(named.job, user) then
    left_out = left_out + 1
  else
    redis.call('XADD', copy, entry[1], unpack(fields))
  end
  return bytes
end

local looked_at, bytes, at_end = 0, 0, false
while not at_end and looked_at < most_entries and bytes < most_bytes do
  local piece = redis.call('XRANGE', dead, last == '' and '-' or '(' .. last, '+', 'COUNT', step)
  for _, entry in ipairs(piece) do
    bytes = bytes + put_over(entry)
    last = entry[1]
  end
  looked_at = looked_at + #piece
  at_end = #piece < step
end
if not at_end then
  redis.call('PEXPIRE', copy, copy_lives_ms)
  return {'more', last, left_out}
end
-- Entries are only added, behind, and taken away. So as many as were met are those that were met.
local kept = redis.call('XLEN', copy)
if kept + left_out ~= redis.call('XLEN', dead) then
  redis.call('DEL', copy)
  return {'again', '', 0}
end
if kept == 0 then
  redis.call('DEL', dead)
else
  redis.call('RENAME', copy, dead)
  redis.call('PERSIST', dead)
end
return {'done', '', left_out}
