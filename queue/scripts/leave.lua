-- The end of an instance: what it still owns goes back uncounted. Returns how many lanes. One that cannot go back keeps
-- the instance registered: when its lease has ended, others try again.
alive()  -- fails as check_types() does
check_types()
local owned, whole = owned_lanes(me)
local given = 0
for i = 1, #owned, 2 do
  if give_back(me, owned[i]) then given = given + 1 else whole = false end
end
redis.call('DEL', status_of(me))
if whole then redis.call('ZREM', instances, me) end
return given
