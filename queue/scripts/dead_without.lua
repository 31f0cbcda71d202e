-- Removes the dead letters of one user, or of some jobs of this user, a piece at a time: P:dead is copied without them,
-- and at the end the copy takes its place. XDEL alone would only mark them: their text stays in memory, and in what
-- Redis saves, for as long as one of their neighbours lives.
-- ARGV[2] is not used, [3] user, [4] key of the copy ('' = only look whether there are any), [5] the last entry that was
-- looked at ('' = none yet), [6] how many were left out so far, [7] and on: ids of the jobs (none: all). Returns
-- {'more', last entry, left out}; {'done', '', left out}; {'found', '', 0}: there are some; or {'again', '', 0}: an entry
-- was taken away meanwhile, the copy is dropped.
local user, copy, last, left_out = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local most_entries, most_bytes, step, copy_lives_ms = 256, 1024 * 1024, 16, 60000
local most_parts = 1000  -- names and values of one entry: Lua cannot hand on as many as Redis can hold
local copies = copy ~= ''
if redis.call('XLEN', dead) == 0 then
  if copies then redis.call('DEL', copy, dead) end
  return {'done', '', left_out}
end

local wanted = #ARGV > 6 and {} or nil
for i = 7, #ARGV do wanted[ARGV[i]] = true end

local function is_to_go(fields)
  local named = {}
  for i = 1, #fields, 2 do named[fields[i]] = fields[i + 1] end
  return named.job and (not wanted or wanted[named.id or '']) and belongs_to(named.job, user)
end

local function bytes_of(fields)
  local bytes = 0
  for i = 2, #fields, 2 do bytes = bytes + #fields[i] end
  return bytes
end

local expires = false
local function put_over(entry)
  redis.call('XADD', copy, entry[1], unpack(entry[2]))
  -- At once: what fails after this leaves nothing that stays.
  if not expires then redis.call('PEXPIRE', copy, copy_lives_ms) end
  expires = true
end

local looked_at, bytes, at_end = 0, 0, false
while not at_end and looked_at < most_entries and bytes < most_bytes do
  local piece = redis.call('XRANGE', dead, last == '' and '-' or '(' .. last, '+', 'COUNT', step)
  for _, entry in ipairs(piece) do
    last = entry[1]
    bytes = bytes + bytes_of(entry[2])
    local is_letter = #entry[2] <= most_parts
    if is_letter and is_to_go(entry[2]) then
      if not copies then return {'found', '', 0} end
      left_out = left_out + 1
    elseif copies and not is_letter then
      redis.call('DEL', copy)
      return redis.error_reply('ERR the entry ' .. last .. ' of ' .. dead .. ' is no dead letter and too large to be ' ..
        'copied: nothing was removed; delete it (XDEL) and try again')
    elseif copies then
      put_over(entry)
    end
  end
  looked_at = looked_at + #piece
  at_end = #piece < step
end
if not at_end then return {'more', last, left_out} end
if not copies then return {'done', '', 0} end
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
