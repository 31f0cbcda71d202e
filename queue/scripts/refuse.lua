-- After the deliveries of single jobs were lost again and again, and before reconcile: the job that this instance owns
-- without knowing it cannot be delivered, however small it is, and becomes a dead letter. If there are several, one was
-- lost in another way: then none is touched, and after reconcile it shows which one is lost again.
-- ARGV[3...] as take, [12...] tickets that the instance knows. Returns how many there were.
local limits = limits_from(3)
local known = {}
for i = 12, #ARGV do known[ARGV[i]] = true end
local already_parked = check_types()
redis.call('XLEN', dead)

local function refuse_lost(lane, ticket, raw)
  local user = user_of(lane)
  redis.call('LREM', lane_key(lane), 1, ticket)
  redis.call('HDEL', owned_by(me), lane)
  local deliveries = read_meta(ticket)
  refuse_undeliverable(raw, 'the job', ms_text(deliveries), limits)
  redis.call('HDEL', bodies, ticket)
  redis.call('HDEL', metas, ticket)
  if redis.call('EXISTS', lane_key(lane)) == 1 then line_up('RPUSH', lane, user) end
  already_parked = already_parked - 1
  already_parked = already_parked + unpark(user, limits, math.max(1, limits.parked - already_parked))
end

local lost = {}
local owned = owned_lanes(me)
for i = 1, #owned, 2 do
  local lane, ticket = owned[i], owned[i + 1]
  local raw = not known[ticket] and redis.call('HGET', bodies, ticket)
  if raw then lost[#lost + 1] = {lane, ticket, raw} end
end
if #lost ~= 1 then return 0 end
refuse_lost(unpack(lost[1]))
return 1
