-- Looks for the jobs and requests of one user in one place, a piece at a time, changing nothing.
-- ARGV[2] is not used, [3] user, [4] place: 'jobs', 'backlog' (the user's own), 'odd' (of those whose user could not be told
-- when they came), 'lanes', 'admin', 'taken' (requests that instances answer), [5] where to go on ('' = at the beginning),
-- [6] no more than so many, or somewhat more, [7] only the job with this id ('' = all), [8] no more once so many
-- bytes of them were found.
-- Returns {where to go on ('' = nowhere), found}, found: ticket, entry and bytes of each, one after the other; in lanes the
-- bytes are left out of those that would be too much ([8]). entry: in
-- a backlog the whole of it, of 'taken' the instance, else ''.
--
-- Each list is walked towards the end that jobs leave by, so that none moves past the walker unseen.
local user, place, from, most = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local most_entries, most_bytes, step = 512, 2 * 1024 * 1024, 16
local found, entries, bytes, found_bytes = {}, 0, 0, 0
local most_found_bytes = tonumber(ARGV[8])

-- Of forgetting itself nothing is to be ended.
local function is_left_alone(raw)
  return (place == 'admin' or place == 'taken') and decoded(raw).op == 'user.forget'
end

local wanted = ARGV[7]

local function is_wanted(raw)
  if wanted == '' then return true end
  if not string.find(raw, wanted, 1, true) and not string.find(raw, '\\', 1, true) then return false end
  return decoded(raw).id == wanted
end

local function look_at(raw, ticket, entry)
  entries, bytes = entries + 1, bytes + #raw
  if not belongs_to(raw, user) or not is_wanted(raw) or is_left_alone(raw) then return end
  -- What is met on a walk through a hash cannot be left for the next call.
  if place == 'lanes' and found_bytes > 0 and found_bytes + #raw > most_found_bytes then raw = '' end
  found_bytes = found_bytes + #entry + #raw
  for _, part in ipairs({ticket, entry, raw}) do found[#found + 1] = part end
end

local function has_enough()
  return entries >= most_entries or bytes >= most_bytes or #found >= 3 * most or found_bytes >= most_found_bytes
end

local function walk(list, backwards, split)
  local at = tonumber(from) or 0
  while not has_enough() do
    local piece
    if backwards then piece = redis.call('LRANGE', list, -(at + step), -(at + 1))
    else piece = redis.call('LRANGE', list, at, at + step - 1) end
    for i = 1, #piece do
      if has_enough() then return tostring(at) end
      look_at(split(piece[backwards and #piece + 1 - i or i]))
      at = at + 1
    end
    if #piece < step then return '' end
  end
  return tostring(at)
end

local function as_it_is(raw) return raw, '', '' end

local function of_backlog(entry)
  local ticket, length, start = string.match(entry, '^(%S+) %d+ (%d+) ()')
  if not ticket then return '', '', '' end
  return string.sub(entry, start + length), ticket, entry
end

local function walk_lanes()
  local cursor = from == '' and '0' or from
  repeat
    local answer = redis.call('HSCAN', bodies, cursor, 'COUNT', step)
    cursor = answer[1]
    for i = 1, #answer[2], 2 do look_at(answer[2][i + 1], answer[2][i], '') end
  until cursor == '0' or has_enough()
  return cursor == '0' and '' or cursor
end

local function look_at_taken()
  for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, '-inf', '+inf')) do
    local taken = redis.pcall('LINDEX', admin_taken_by(instance), -1)
    if type(taken) == 'string' then look_at(taken, '', instance) end
  end
  return ''
end

if place == 'lanes' then return {walk_lanes(), found} end
if place == 'taken' then return {look_at_taken(), found} end
if place == 'jobs' then return {walk(jobs, false, as_it_is), found} end
if place == 'admin' then return {walk(admin, false, as_it_is), found} end
local backlog = backlog_of(place == 'odd' and '' or user)
if not length_of(backlog) then return {'', found} end  -- something foreign
return {walk(backlog, true, of_backlog), found}
