-- Gives one delivery back undone, for whoever takes it next.
-- ARGV[3] lane, [4] ticket, [5] '1' if the handler failed: that counts as a death. Returns 1, or 0 if it is not ours
-- any more.
if redis.call('HGET', owned_by(me), ARGV[3]) ~= ARGV[4] then return 0 end
check_types()
-- In this order, so that a full Redis lets the second write pass.
give_back(me, ARGV[3])
if ARGV[5] == '1' then count_death(ARGV[4]) end
return 1
