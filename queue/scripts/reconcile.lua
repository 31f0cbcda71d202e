-- After answers were lost: gives back the lanes that this instance owns without knowing it.
-- ARGV[3...] tickets that the instance knows. Returns how many lanes were given back.
local known = {}
for i = 3, #ARGV do known[ARGV[i]] = true end
check_types()
local given = 0
local owned = owned_lanes(me)
for i = 1, #owned, 2 do
  if not known[owned[i + 1]] then
    give_back(me, owned[i])
    given = given + 1
  end
end
return given
