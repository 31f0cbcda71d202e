-- The end of an instance: what it still owns goes back uncounted. Returns how many lanes.
check_types()
local owned = redis.call('HGETALL', owned_by(me))
for i = 1, #owned, 2 do give_back(me, owned[i]) end
redis.call('DEL', owned_by(me), status_of(me))
redis.call('ZREM', instances, me)
return #owned / 2
