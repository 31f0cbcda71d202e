-- Shared by every script of the queue; stands in front of each.
--
-- Keys, all below one prefix P (see docs/queue.md):
--   P:jobs            list    what producers push; the right end is next
--   P:ready           list    users with lanes that have work and no owner; the left end is next
--   P:lanes:<user>    list    those lanes of one user; the left end is next
--   P:lane:<lane>     list    tickets of one conversation in order; the first is the one to run or running
--   P:body            hash    ticket -> the job's bytes
--   P:meta            hash    ticket -> "deliveries deaths first_seen_ms", and " since_ms" once a call for it has failed
--   P:parked          hash    user -> how many of the user's jobs are in lanes
--   P:backlog:<user>  list    "ticket first_seen_ms length lane bytes" of the jobs beyond the user's share
--   P:behind          string  how many jobs are in backlogs
--   P:owned:<i>       hash    lane -> ticket that instance i runs
--   P:delayed         zset    lane -> when it is due, ms of Redis's clock
--   P:delays          hash    lane -> why its first job waits
--   P:paused          string  while it exists no jobs are taken
--   P:cancel          list    jobs that are to be cancelled; the right end is next
--   P:pace:<model>    hash    what the provider allows of a model; see pace.lua
--   P:instances       zset    instance -> when its lease ends, ms of Redis's clock
--   P:status:<i>      string  what instance i says of itself, until its lease ends
--   P:database        hash    id -> which database serves this queue; expires with the last lease
--   P:ages:<list>     list    how old the replies in a list are that holds several; expires
--   P:probe           any     only within a heartbeat, to see what this user may do
--   P:dead            stream  dead letters
--   P:admin           list    requests about memories; the right end is next
--   P:admin:taken:<i> list    the request that instance i answers
--   P:admin:deaths    hash    SHA-1 of a request -> how many instances died of it
--
-- A lane is in exactly one of four states: absent (no list); ready (its list has tickets, it stands once in
-- P:lanes:<its user>, or as an orphaned lane under the empty user if the key of its user holds something else); owned
-- (its list has tickets, it stands in one P:owned:<i> with its first ticket); delayed (its list has tickets, it stands in
-- P:delayed and P:delays). A user stands once in P:ready if there are ready lanes of this user, else not at all. A user
-- has a backlog only while as many of their jobs as allowed are parked. Every script takes lanes and users from one such
-- state to another and leaves none between two.
--
-- Lua has no way back: each script checks what can be wrong before its first write, and shrinks before it grows,
-- since Redis lets a script that has begun to write finish even when it is out of memory.
--
-- KEYS[1] = P:jobs (it routes the call on a cluster), ARGV[1] = P, ARGV[2] = this instance.

if redis.replicate_commands then redis.replicate_commands() end  -- TIME before a write, on Redis 6.2

local prefix, me = ARGV[1], ARGV[2]
local function key(name) return prefix .. ':' .. name end
local jobs, ready, bodies, metas, parked = key('jobs'), key('ready'), key('body'), key('meta'), key('parked')
local instances, dead, behind = key('instances'), key('dead'), key('behind')
local delayed, delays, cancels = key('delayed'), key('delays'), key('cancel')
local admin, admin_deaths = key('admin'), key('admin:deaths')
local function admin_taken_by(instance) return key('admin:taken:') .. instance end
local function owned_by(instance) return key('owned:') .. instance end
local function status_of(instance) return key('status:') .. instance end
local function lane_key(lane) return key('lane:') .. lane end
local function lanes_of(user) return key('lanes:') .. user end
local function backlog_of(user) return key('backlog:') .. user end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function ms_text(ms) return string.format('%.0f', ms) end

-- An instance lives until somebody has found its lease at an end and taken it out.
local function alive() return redis.call('ZSCORE', instances, me) ~= false end

local function read_meta(ticket)
  local text = redis.call('HGET', metas, ticket) or ''
  local deliveries, deaths, first_seen, since = string.match(text, '^(%d+) (%d+) (%d+) ?(%d*)$')
  -- Lost: removed by an operator, or data restored in part. The job is as good as new.
  return tonumber(deliveries) or 0, tonumber(deaths) or 0, first_seen or ms_text(now_ms()), since or ''
end

-- `since`: when a call for it first failed; '' = none has.
local function write_meta(ticket, deliveries, deaths, first_seen, since)
  if since ~= '' then first_seen = first_seen .. ' ' .. since end
  redis.call('HSET', metas, ticket, deliveries .. ' ' .. deaths .. ' ' .. first_seen)
end

-- Fails now, before anything is written, if one of the keys that every call needs holds something else. The others are
-- looked at by those that write to them. Each look costs a busy Redis a microsecond. Returns how many jobs are parked.
local function check_types()
  redis.call('LLEN', jobs)
  redis.call('LLEN', ready)
  redis.call('HLEN', metas)
  redis.call('HLEN', parked)
  redis.call('HLEN', owned_by(me))
  return redis.call('HLEN', bodies)
end

local function count_death(ticket)
  local deliveries, deaths, first_seen, since = read_meta(ticket)
  write_meta(ticket, deliveries, deaths + 1, first_seen, since)
end

-- ---- lanes and their users ----

local function bounded_text(value) return type(value) == 'string' and #value >= 1 and #value <= 128 end

-- A text as its sender meant it, as repaired() of queue/pushed_json.hpp makes it, but for bytes that are no UTF-8 (cjson
-- reads those) and with a mark around what stands for half of a surrogate pair. Nothing if it cannot be told. Each step
-- takes time that grows with the text's length and no faster.
local function repaired(raw)
  if string.find(raw, '[\1\2]') then return end  -- they mark places below
  local first = string.find(raw, '[^%z%s\128-\255]')
  if not first then return end
  local text = string.match(raw, '^.*[^%z%s\128-\255]', first)  -- without blanks of any alphabet around it
  text = string.gsub(text, '\\\\', '\1')                          -- escaped backslashes
  text = string.gsub(text, '\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)', '\2%1%2')  -- whole surrogate pairs
  text = string.gsub(text, '\\u[dD][89a-fA-F]%x%x', '\\u0001\\ufffd\\u0001')
  text = string.gsub(text, '\2(%x%x%x%x)(%x%x%x%x)', '\\u%1\\u%2')
  return (string.gsub(text, '\1', '\\\\'))
end

-- The object that a text is, or is once it was repaired; nothing if it is none. A user whose name had to be repaired is
-- nobody: two of them could become one.
local function decoded(raw)
  local readable, object = pcall(cjson.decode, raw)
  if not readable then
    local text = repaired(raw)
    if text then readable, object = pcall(cjson.decode, text) end
    if not readable or type(object) ~= 'table' then return end
    if string.find(tostring(object.user_id), '\1\239\191\189\1', 1, true) then return end
  end
  return type(object) == 'table' and object or nil
end

-- The lane of a job, one for each conversation, and its user. A job that does not name a conversation, or cannot be
-- read, has a lane of its own, except that repeats of one id meet in one lane. A lane of a conversation begins with a
-- digit. All that name no user share the empty name.
local function lane_of(raw, ticket, max_job_bytes)
  if #raw > max_job_bytes then return '~' .. ticket, '' end
  local job = decoded(raw)
  if not job or not bounded_text(job.user_id) then return '~' .. ticket, '' end
  local user = job.user_id
  if bounded_text(job.session_id) then return #user .. ':' .. user .. ':' .. job.session_id, user end
  if bounded_text(job.id) then return '~id:' .. #user .. ':' .. user .. ':' .. job.id, user end
  return '~t:' .. #user .. ':' .. user .. ':' .. ticket, user
end

-- Whether a job or request names this user. It is decoded only if it may.
local function belongs_to(raw, user)
  if not string.find(raw, user, 1, true) and not string.find(raw, '\\', 1, true) then return false end
  local job = decoded(raw)
  return job ~= nil and job.user_id == user
end

-- The user who owns a lane; '' if there is none.
local function user_of(lane)
  local length, from = string.match(lane, '^(%d+):()')
  if not length then length, from = string.match(lane, '^~%l+:(%d+):()') end
  return length and string.sub(lane, from, from + length - 1) or ''
end

-- How long a list is; nothing if something else stands there.
local function length_of(list)
  local length = redis.pcall('LLEN', list)
  return type(length) == 'number' and length or nil
end

-- Puts a lane at the end of its user's ready lanes with RPUSH, or in front with LPUSH. If that key holds something else,
-- the lane is orphaned: it waits under the empty user.
local function line_up(push, lane, user)
  local length = redis.pcall(push, lanes_of(user), lane)
  if type(length) ~= 'number' then
    user = ''
    length = redis.call(push, lanes_of(user), lane)
  end
  if length == 1 then redis.call(push, ready, user) end
end

-- Makes an owned lane ready again, in front, its first ticket undone.
local function give_back(instance, lane)
  redis.call('HDEL', owned_by(instance), lane)
  if redis.call('EXISTS', lane_key(lane)) == 1 then line_up('LPUSH', lane, user_of(lane)) end
end

-- Whether a lane was delayed; it is so no more.
local function end_delay(lane)
  if redis.pcall('ZREM', delayed, lane) ~= 1 then return false end
  redis.pcall('HDEL', delays, lane)
  return true
end

-- The lanes that an instance owns and their tickets, one after the other, and whether these are all.
local function owned_lanes(instance)
  local owned = redis.pcall('HGETALL', owned_by(instance))
  if owned.err then return {}, false end
  return owned, true
end

-- Redis lets a script go on that has begun to write, also when it is full. This changes nothing.
local function begin_to_write() redis.call('ZREM', instances, '') end

-- The lane and its user, or a lane of the ticket's own and the empty user if the lane's key holds something else.
local function free_lane(lane, user, ticket)
  if length_of(lane_key(lane)) then return lane, user end
  return '~' .. ticket, ''
end

-- The job has its place among those of its user.
local function park(lane, user, ticket, raw, first_seen)
  redis.call('HSET', bodies, ticket, raw)
  write_meta(ticket, 0, 0, first_seen, '')
  if redis.call('RPUSH', lane_key(lane), ticket) == 1 then line_up('RPUSH', lane, user) end
end

local function bury(raw, id, reason, message, attempts, now)
  return redis.pcall('XADD', dead, '*', 'id', id, 'reason', reason, 'message', message, 'job', raw,
    'at', now, 'attempts', attempts)
end

-- What concerns the reply's key alone (its type, the rights of the daemon's user) must not stop the rest. Returns what
-- was refused, or else nil and the answer.
local function attempt(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return answer.err end
  return nil, answer
end

-- A list of replies expires as a whole, `ttl` after the last of them. So that one whose reader has gone does not grow for
-- as long as others push, those that are older than `ttl` leave it here. P:ages:<list> notes how many replies had been
-- pushed by when: entries "count ms", the oldest first, one each sixteenth of `ttl`, and as the last one "count ms mark": the
-- count now, when it was noted last, and by what the last reply is known. The list is taken for the last `length` of all that
-- were pushed: where replies were taken from its middle, those that are left seem younger than they are, and none goes too
-- early. If another reply than the last one stands before this one, or there are more of them than were counted, somebody
-- pushed who notes nothing (an engramd of an earlier version), or took from the right end: the notes begin anew.
local most_dropped_replies = 1024  -- by one call

local function mark_of(reply)
  return redis.sha1hex(#reply .. string.sub(reply, 1, 256) .. string.sub(reply, -256))
end

local function drop_old_replies(list, reply, length, ttl)
  local ages, now = key('ages:') .. list, now_ms()
  if length == 2 then redis.pcall('DEL', ages) end  -- of a list that was emptied since
  local last = redis.pcall('RPOP', ages)
  local pushed, noted, mark = string.match(type(last) == 'string' and last or '', '^(%d+) (%d+) (%x+)$')
  local before = redis.pcall('LINDEX', list, -2)
  if length > (tonumber(pushed) or 0) + 1 or type(before) ~= 'string' or mark_of(before) ~= mark then
    if type(last) == 'string' then redis.pcall('DEL', ages) end
    pushed, noted = nil, nil
  end
  pushed, noted = math.max((tonumber(pushed) or 0) + 1, length), tonumber(noted) or now
  if now - noted >= ttl / 16 then
    redis.pcall('RPUSH', ages, ms_text(pushed - 1) .. ' ' .. ms_text(now))
    noted = now
  end
  local notes = redis.pcall('RPUSH', ages, ms_text(pushed) .. ' ' .. ms_text(noted) .. ' ' .. mark_of(reply))
  if type(notes) ~= 'number' then return end  -- something foreign
  redis.pcall('PEXPIRE', ages, 2 * ttl)
  local count, at = string.match(redis.call('LINDEX', ages, 0), '^(%d+) (%d+)')
  if notes < 2 or not count or now - at < ttl then return end
  local too_old = count - (pushed - length)
  if too_old > 0 then redis.pcall('LPOP', list, ms_text(math.min(too_old, most_dropped_replies))) end
  if too_old <= most_dropped_replies then redis.call('LPOP', ages) end
end

-- Returns whether there is nobody to tell or the reply was stored, and what was refused.
local function deliver_reply(reply_to, reply, ttl)
  if reply_to == '' then return true, '' end
  local not_stored, length = attempt('RPUSH', reply_to, reply)
  local not_expiring
  if not not_stored then
    not_expiring = attempt('PEXPIRE', reply_to, ttl)
    if length and length > 1 then drop_old_replies(reply_to, reply, length, tonumber(ttl)) end
  end
  return not not_stored, attempt('PUBLISH', reply_to, reply) or not_stored or not_expiring or ''
end

local function not_stored_at(reply_to, refused)
  return 'the reply could not be stored at ' .. reply_to .. ': ' .. refused
end

-- ---- what is too large to be looked at ----

local most_seen = 4096  -- at the beginning of a text, and at its end

-- The members at the beginning and at the end of an object that are texts or no values of their own, as far as no other
-- one stands before or behind them: each name with its value as it was written. The last one of a name counts.
local function outer_members(raw)
  local found, front, back = {}, string.sub(raw, 1, most_seen), string.sub(raw, -most_seen)
  if string.find(front .. back, '[\1\2]') then return found end  -- they mark places below
  local function marked(text) return (string.gsub(string.gsub(text, '\\\\', '\1'), '\\"', '\2')) end
  local values = {'("[^"]*")%s*', '([%w%.+-]+)%s*'}
  local head, at = marked(string.match(front, '^[^{]*{(.*)$') or ''), 1
  while at do
    local name, value, after
    for _, pattern in ipairs(values) do
      if not name then name, value, after = string.match(head, '^%s*"([^"]*)"%s*:%s*' .. pattern .. ',()', at) end
    end
    if name then found[name] = value end
    at = after
  end
  -- From its end on, so that each step looks at one member only.
  local tail, behind = string.reverse(',' .. marked(string.match(back, '^(.*)}') or '')), {}
  at = 1
  while at do
    local name, value, after
    for _, pattern in ipairs(values) do
      if not name then value, name, after = string.match(tail, '^%s*' .. pattern .. ':%s*"([^"]*)"%s*,()', at) end
    end
    if name then name, value = string.reverse(name), string.reverse(value) end
    if name and not behind[name] then behind[name], found[name] = true, value end
    at = after
  end
  return found
end

-- The text of this name among them. '' = none.
local function member_of(members, name)
  local value = string.gsub(string.gsub(members[name] or '', '\2', '\\"'), '\1', '\\\\')
  local readable, list = pcall(cjson.decode, '[' .. value .. ']')
  return readable and type(list[1]) == 'string' and list[1] or ''
end

local function is_reply_key(text, prefixes)
  for _, begin in ipairs(prefixes) do
    if #text > #begin and #text <= 1024 and string.sub(text, 1, #begin) == begin then return true end
  end
  return false
end

-- Buries a job or request, and tells who waits for it. `named`: the object that it is; without it, id and reply_to as far
-- as they can be seen without looking at more than its ends. `limits`: reply_ttl, reply_prefixes, as in limits_from().
local function refuse(raw, named, why, attempts, limits, now)
  local members = named and '' or outer_members(raw)
  local function text_of(name)
    local text = named and named[name] or not named and member_of(members, name)
    return type(text) == 'string' and text or ''
  end
  local id, reply_to = text_of('id'), text_of('reply_to')
  if #id > 128 or string.find(id, '[^%w%._:%-]') then id = '' end
  local prefixes = cjson.decode(limits.reply_prefixes)
  prefixes[#prefixes + 1] = key('reply:')
  if not is_reply_key(reply_to, prefixes) then reply_to = id ~= '' and key('reply:') .. id or '' end
  bury(raw, id, why.type, why.message, attempts, now)
  local function name_of(what) return named and bounded_text(named[what]) and named[what] or nil end
  local reply = {id = id ~= '' and id or nil, user_id = name_of('user_id'), session_id = name_of('session_id'),
    status = 'error', error = why, attempts = tonumber(attempts), metadata = {}}
  deliver_reply(reply_to, cjson.encode(reply), limits.reply_ttl)
end

-- One of which only the size was looked at. Nothing is asked of what it holds.
local function refuse_for_size(raw, what, limits, now)
  local message = what .. ' is ' .. #raw .. ' bytes, at most ' .. limits.job_bytes .. ' are allowed'
  refuse(raw, nil, {type = 'invalid_job', message = message, retryable = false}, '0', limits, now)
end

-- One whose delivery Redis has cut off again and again.
local function refuse_undeliverable(raw, what, attempts, limits)
  local message = what .. ' has ' .. #raw .. ' bytes, and Redis closes the connection when it is delivered: ' ..
    'raise client-output-buffer-limit normal (docs/redis.md)'
  local why = {type = 'internal', message = message, retryable = false}
  refuse(raw, decoded(raw), why, attempts, limits, ms_text(now_ms()))
end

-- Takes one place of a user's share; without `share`, whether there is one or not. Heals what is no number.
local function take_place(user, share)
  local used = redis.pcall('HINCRBY', parked, user, 1)
  if type(used) ~= 'number' then
    used = 1
    redis.call('HSET', parked, user, used)
  end
  if not share or used <= share then return true end
  redis.call('HINCRBY', parked, user, -1)
  return false
end

local function leave_place(user)
  local used = redis.pcall('HINCRBY', parked, user, -1)
  if type(used) ~= 'number' or used <= 0 then redis.call('HDEL', parked, user) end
end

-- For people to look at: nothing depends on it.
local function count_behind(change)
  local count = redis.pcall(change, behind)
  if type(count) == 'number' and count <= 0 then redis.call('DEL', behind) end
end

-- The first jobs of a user's backlog come into their lanes while the user's share, and `room` over all users, allow.
-- Returns how many did. `limits` as in limits_from().
local most_from_backlog, most_bytes_from_backlog = 16, 1024 * 1024

local function refill(user, limits, room)
  local bytes, parked_now = 0, 0
  while parked_now < math.min(room, most_from_backlog) and bytes < most_bytes_from_backlog do
    local entry = redis.pcall('LINDEX', backlog_of(user), 0)
    if type(entry) ~= 'string' then break end
    local ticket, first_seen, length, from = string.match(entry, '^(%S+) (%d+) (%d+) ()')
    if ticket then
      local lane, owner = free_lane(string.sub(entry, from, from + length - 1), user, ticket)
      if not take_place(owner, owner == user and limits.share) then break end
      redis.call('LPOP', backlog_of(user))
      park(lane, owner, ticket, string.sub(entry, from + length), first_seen)
    else
      redis.call('XLEN', dead)  -- as check_types()
      redis.call('LPOP', backlog_of(user))
      bury(entry, '', 'invalid_job', 'this is no entry of a backlog', '0', ms_text(now_ms()))
    end
    count_behind('DECR')
    parked_now = parked_now + 1
    bytes = bytes + #entry
  end
  return parked_now
end

-- A job of this user has gone from its lane.
local function unpark(user, limits, room)
  leave_place(user)
  return refill(user, limits, room)
end

-- ---- requests ----

-- A request that somebody removes by hand leaves its count behind: that goes a day after the last death of any.
local function count_admin_death(raw)
  redis.pcall('HINCRBY', admin_deaths, redis.sha1hex(raw), 1)
  redis.pcall('PEXPIRE', admin_deaths, 86400000)
end

-- What this instance had taken of P:admin is next again. Returns whether nothing stayed behind.
local function give_back_requests(instance, it_died)
  local count = length_of(admin_taken_by(instance))
  if count == 0 then return true end
  if not count or not length_of(admin) then return false end
  for _ = 1, count do
    local raw = redis.call('LPOP', admin_taken_by(instance))
    redis.call('RPUSH', admin, raw)
    if it_died then count_admin_death(raw) end
  end
  return true
end

-- ---- taking ----

-- Moves up to `limits.ingest` jobs from P:jobs to their lanes. Tickets are named after `limits.tickets`, which the
-- caller never uses twice. A job far over the size limit goes to the dead letters here, so that no daemon has to
-- carry it. At most some megabytes are looked at in one call, and some jobs refused, since Redis does nothing else meanwhile.
local most_bytes_moved = 2 * 1024 * 1024
local most_refused = 16

local function refuse_unseen(raw, limits, now)
  redis.call('XLEN', dead)  -- as check_types()
  redis.call('RPOP', jobs)
  refuse_for_size(raw, 'the job', limits, now)
end

local function has_place(user, limits)
  return (tonumber(redis.call('HGET', parked, user)) or 0) < limits.share
end

-- How many were parked, or nothing, and nothing changed, if there is no room for it.
local function admit(raw, ticket, limits, now, room)
  local lane, user = lane_of(raw, ticket, limits.job_bytes)
  lane, user = free_lane(lane, user, ticket)
  local waiting = length_of(backlog_of(user))
  -- Nothing passes those that wait already. Where nobody can wait, the share is exceeded.
  local may_park = waiting == 0 or not waiting
  if room < 1 and (not waiting or (waiting == 0 and has_place(user, limits))) then return end
  begin_to_write()
  if may_park and take_place(user, waiting and limits.share) then
    redis.call('RPOP', jobs)
    park(lane, user, ticket, raw, now)
    return 1
  end
  redis.call('RPOP', jobs)
  redis.call('RPUSH', backlog_of(user), ticket .. ' ' .. now .. ' ' .. #lane .. ' ' .. lane .. raw)
  count_behind('INCR')
  return refill(user, limits, room)
end

-- Returns how many it moved, how many of them were refused, and whether it has seen the end of P:jobs.
local function ingest(limits, now, already_parked)
  local moved, refused, bytes = 0, 0, 0
  while moved < limits.ingest and bytes < most_bytes_moved and refused < most_refused do
    local raw = redis.call('LINDEX', jobs, -1)
    if not raw then return moved, refused, true end
    if #raw > 4 * limits.job_bytes then
      refuse_unseen(raw, limits, now)
      refused = refused + 1
    else
      local ticket = limits.tickets .. '.' .. (moved + 1)
      local parked_now = admit(raw, ticket, limits, now, limits.parked - already_parked)
      if not parked_now then break end
      already_parked = already_parked + parked_now
    end
    moved = moved + 1
    bytes = bytes + #raw
  end
  return moved, refused, false
end

-- The first job of a lane that was just taken from the ready ones: {lane, ticket, body, deliveries, deaths,
-- first_seen_ms}, and when a call for it first failed, if one has.
-- Nothing if there is none, and what was in its place: 'lost', a ticket whose job has gone, or 'foreign'.
local function deliver(lane, user)
  local ticket = redis.pcall('LINDEX', lane_key(lane), 0)
  if type(ticket) == 'table' then return nil, 'foreign' end
  if not ticket then return end
  local raw = redis.call('HGET', bodies, ticket)
  if not raw then
    -- A ticket without a body: removed by an operator, or data restored in part. Step over it.
    redis.call('LPOP', lane_key(lane))
    redis.call('HDEL', metas, ticket)
    if redis.call('EXISTS', lane_key(lane)) == 1 then redis.call('LPUSH', lanes_of(user), lane) end
    return nil, 'lost'
  end
  local deliveries, deaths, first_seen, since = read_meta(ticket)
  write_meta(ticket, deliveries + 1, deaths, first_seen, since)
  redis.call('HSET', owned_by(me), lane, ticket)
  local job = {lane, ticket, raw, deliveries + 1, deaths, first_seen}
  if since ~= '' then job[7] = since end
  return job
end

-- Takes up to `limits.claim` ready lanes for this instance: one of a user, then one of the next. Returns them, and
-- whether it has seen the end of them.
local most_steps = 1024  -- over lanes that lead to nothing

local function claim(limits)
  local taken, bytes, stuck = {}, 0, {}
  for _ = 1, limits.claim + most_steps do
    if #taken >= limits.claim or bytes >= limits.bytes then break end
    local user = redis.call('LPOP', ready)
    if not user then return taken, true end
    local lane = redis.pcall('LPOP', lanes_of(user))
    if type(lane) == 'string' then
      local job, instead = deliver(lane, user)
      -- It keeps its place until it is mended.
      if instead == 'foreign' then redis.call('RPUSH', lanes_of(user), lane) end
      if redis.call('LLEN', lanes_of(user)) > 0 then redis.call('RPUSH', ready, user) end
      if instead == 'lost' then unpark(user_of(lane), limits, 1) end
      if instead == 'foreign' then
        if stuck[lane] then break end
        stuck[lane] = true
      end
      if job then
        taken[#taken + 1] = job
        bytes = bytes + #job[3]
      end
    elseif lane then
      -- Something foreign: the user keeps the place in P:ready until it is mended.
      redis.call('RPUSH', ready, user)
      if stuck[user] then break end
      stuck[user] = true
    end
  end
  return taken, false
end

-- What take and finish have in common: arguments from `first` on.
local function limits_from(first)
  return {
    ingest = tonumber(ARGV[first]),         -- jobs to move out of P:jobs
    claim = tonumber(ARGV[first + 1]),      -- lanes to take
    parked = tonumber(ARGV[first + 2]),     -- jobs in lanes, of all users
    share = tonumber(ARGV[first + 3]),      -- of one user
    job_bytes = tonumber(ARGV[first + 4]),  -- size of a job
    tickets = ARGV[first + 5],              -- their names begin so
    reply_ttl = ARGV[first + 6],            -- how long a reply is kept, in ms
    reply_prefixes = ARGV[first + 7],       -- how its key may begin besides P:reply:, as a list in JSON
    bytes = tonumber(ARGV[first + 8]),  -- no lane more once so many bytes of jobs were taken
  }
end

-- Returns {alive, now_ms, jobs moved, 1 if there may be more of them or of ready lanes, claimed, how many of those moved
-- were too large and are dead letters}. `is_alive` and
-- `already_parked` as alive() and check_types() said before anything was written.
local function take(limits, is_alive, already_parked)
  local now = ms_text(now_ms())
  if not is_alive then return {0, now, 0, 0, {}, 0} end
  local moved, refused, all_moved = ingest(limits, now, already_parked)
  local taken, all_taken = claim(limits)
  return {1, now, moved, all_moved and all_taken and 0 or 1, taken, refused}
end
