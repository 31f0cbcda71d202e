-- The end of an instance: what it still owns goes back uncounted. Returns how many lanes.
alive()  -- fails as check_types() does
check_types()
local owned, whole = owned_lanes(me)
for i = 1, #owned, 2 do give_back(me, owned[i]) end
redis.call('DEL', status_of(me))
if give_back_requests(me, false) and whole then redis.call('ZREM', instances, me) end
-- After the last one any database may come.
if redis.call('EXISTS', instances) == 0 then redis.pcall('DEL', key('database')) end
return #owned / 2
