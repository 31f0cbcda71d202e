-- Gives a request back to the front of P:admin.
-- ARGV[3] the request, [4] '1' if the handler failed: that counts as a death. Returns 1, or 0 if it is not ours any
-- more.
redis.call('LLEN', admin)
if redis.call('LREM', admin_taken_by(me), 1, ARGV[3]) == 0 then return 0 end
redis.call('RPUSH', admin, ARGV[3])
if ARGV[4] == '1' then count_admin_death(ARGV[3]) end
return 1
