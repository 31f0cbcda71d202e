-- Shares what the provider allows of a model among the daemons. Each tells once a second, while it has calls that wait.
-- ARGV[3...] for each model ten values: model; chats and background calls that wait; chats that may come before the next
-- report; calls answered in the last minute, about; permits that were not used; '1' if the provider has refused one since the last report; calls a minute that it says
-- it allows (0: it does not say); calls that it says are left (-1: it does not say); ms that it asks to wait.
-- Returns for each {permits until the next report, calls a minute}.
--
-- P:pace:<model> holds `rate` (calls a minute), `level` (calls that may start now; it fills up at that rate), `allowed` (what
-- the provider last said it allows a minute, or 0), `cuts` (how often the rate was lowered); by Redis's clock in ms `at` (the
-- last report), `until` (no call before), `cut` (when the rate was lowered last) and `born`; and for each daemon
-- i:<instance> -> "at chats others answered".
local stale_ms, answered_ms, lives_ms = 3000, 60000, 600000
local cut_pause_ms, believed_ms, settling_ms, longest_hold_ms = 5000, 60000, 1000, 60000
local share = 0.98  -- of what is allowed
local first_growth, growth = 1.15, 1.005  -- of the rate, a second: until it has met the limit, and from then on
local least_found, most = 20, 1000000  -- calls a minute, where the provider does not say

-- tonumber() reads NaN and infinity, too: the one is no number here, and would stay for ever.
local function number(text, default, least, greatest)
  local n = tonumber(text or '')
  if not n or n ~= n then return default end
  return math.max(least, math.min(greatest, n))
end

-- A time that lies ahead is from before the clock was set back: it is now.
local function past(text, default, now) return number(text, default, 0, now) end

-- Of every daemon that reported lately, but this one: chats that wait, calls answered, and in how many some call waits.
local function others_of(pace, fields, now)
  local chats, answered, waiting = 0, 0, 0
  for i = 1, #fields, 2 do
    local instance = string.match(fields[i], '^i:(.*)$')
    if instance and instance ~= me then
      local at, c, o, a = string.match(fields[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
      local age = at and math.abs(now - at)  -- the clock may have been set back
      if not at or age > answered_ms then redis.call('HDEL', pace, fields[i])
      else
        answered = answered + number(a, 0, 0, most)
        if age <= stale_ms then
          chats = chats + c
          if c + o > 0 then waiting = waiting + 1 end
        end
      end
    end
  end
  return chats, answered, waiting
end

local function share_out(first, now)
  local pace = key('pace:') .. ARGV[first]
  local function told(at, default, least) return number(ARGV[first + at], default, least, most) end
  local chats, others, soon, answered, unused = told(1, 0, 0), told(2, 0, 0), told(3, 0, 0), told(4, 0, 0), told(5, 0, 0)
  local refused = ARGV[first + 6] == '1'
  local allowed, left, hold = told(7, 0, 0), told(8, -1, -1), told(9, 0, 0)
  local fields = redis.pcall('HGETALL', pace)
  if fields.err then return {math.min(1, chats + soon + others), '0'} end  -- something foreign: as little as is no risk
  local was = {}
  for i = 1, #fields, 2 do was[fields[i]] = fields[i + 1] end
  local others_chats, others_answered, others_waiting = others_of(pace, fields, now)
  local said = number(was.allowed, 0, 0, most)
  -- Who has had no answer yet knows of no limit; the others have told of it.
  if allowed == 0 then allowed = said end
  local ceiling = allowed > 0 and share * allowed or most
  local met = math.max(1, answered + others_answered)

  local found = number(was.rate, nil, 0, most)
  local begun = found ~= nil
  local born = past(was.born, now, now)
  local seconds = begun and (now - past(was.at, now, now)) / 1000 or 0
  local rate = found or (allowed > 0 and ceiling or 0.7 * met)
  -- What led to the first report counts once, also if several daemons tell of it.
  local cut, cuts = past(was.cut, refused and now or 0, now), number(was.cuts, 0, 0, most)
  if refused and now - cut >= cut_pause_ms then
    rate, cut, cuts = 0.7 * math.min(rate, allowed > 0 and ceiling or met), now, math.min(cuts + 1, most)
  elseif allowed > 0 and (said == 0 or now - cut >= believed_ms) then
    rate = ceiling  -- what the provider says counts when it is new, and when nothing has spoken against it for long
  else
    rate = rate * (cuts > 0 and now - cut < believed_ms and growth or first_growth) ^ math.min(seconds, stale_ms / 1000)  -- while nobody asks nothing is found out
  end
  -- At first not all have told yet how much was answered.
  if allowed == 0 and now - born < cut_pause_ms then rate = math.max(rate, 0.7 * met) end
  -- One refusal among few calls tells little: what is found is no less than a call in three seconds.
  rate = math.max(allowed > 0 and 1 or least_found, math.min(rate, ceiling))

  -- It fills up to what two seconds bring; what is left of the provider's own may be more, at first.
  local level = number(was.level, left >= 0 and left or 1, 0, most)
  level = math.max(level, math.min(level + rate / 60 * seconds, math.max(1, rate / 30))) + unused
  if left >= 0 then level = math.min(level, left + 1) end  -- they are rounded down
  local asked = number(was['until'], 0, 0, now + longest_hold_ms)
  local hold_until = math.max(asked, hold > 0 and now + math.min(hold, longest_hold_ms) or 0)
  if refused then level = math.min(level, 1) end  -- one, to see whether it is over

  local wanted = chats + soon + (others_chats > 0 and 0 or others)
  local permits = 0
  -- Not before each daemon has told what it saw left: calls under way show in no header yet.
  if now - born >= settling_ms and now >= hold_until and wanted > 0 and level >= 1 then
    permits = math.min(wanted, math.max(1, math.floor(level / (others_waiting + 1))))
    level = level - permits
  end
  redis.call('HSET', pace, 'rate', string.format('%.3f', rate), 'level', string.format('%.3f', level),
    'allowed', string.format('%.3f', allowed), 'at', ms_text(now), 'until', ms_text(hold_until), 'cut', ms_text(cut), 'cuts', string.format('%.0f', cuts),
    'born', ms_text(born), 'i:' .. me, string.format('%.0f %.0f %.0f %.0f', now, chats, others, answered))
  redis.call('PEXPIRE', pace, lives_ms)
  return {permits, string.format('%.3f', rate)}
end

begin_to_write()
local grants, now = {}, now_ms()
for first = 3, #ARGV, 10 do grants[#grants + 1] = share_out(first, now) end
return grants
