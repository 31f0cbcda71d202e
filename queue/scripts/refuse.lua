-- After the deliveries of single jobs were lost again and again, and before reconcile: what is large among the jobs that
-- this instance owns without knowing it cannot be delivered, and becomes a dead letter.
-- ARGV[3] how many bytes are large, [4...] as take, [13...] tickets that the instance knows. Returns how many there were.
local least = tonumber(ARGV[3])
local limits = limits_from(4)
local known = {}
for i = 13, #ARGV do known[ARGV[i]] = true end
local already_parked = check_types()
redis.call('XLEN', dead)

local function refuse_large(lane, ticket, raw)
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

local refused = 0
local owned = owned_lanes(me)
for i = 1, #owned, 2 do
  local lane, ticket = owned[i], owned[i + 1]
  local raw = not known[ticket] and redis.call('HGET', bodies, ticket)
  if raw and #raw >= least then
    refuse_large(lane, ticket, raw)
    refused = refused + 1
  end
end
return refused
