-- The end of an instance: what it still owns goes back uncounted. Returns how many lanes. One that cannot go back keeps
-- the instance registered: when its lease has ended, others try again.
check_types()
local owned = owned_lanes(me)
local kept = 0
for i = 1, #owned, 2 do
  if not give_back(me, owned[i]) then kept = kept + 1 end
end
redis.call('DEL', status_of(me))
if kept == 0 then redis.call('ZREM', instances, me) end
return #owned / 2 - kept
