"""Mistakes in the scripts, each of which the exploration must find.

(name, file, the text there, what stands there instead); the text must occur once.
"""

MUTATIONS = (
    (
        "finish_does_not_ask_who_owns_the_lane",
        "finish",
        "if redis.call('HGET', owned_by(me), lane) == ticket then",
        "if true then",
    ),
    ("finish_keeps_the_body", "finish", "  redis.call('HDEL', bodies, ticket)\n", ""),
    ("finish_keeps_the_meta", "finish", "  redis.call('HDEL', metas, ticket)\n", ""),
    ("finish_keeps_the_ownership", "finish", "  redis.call('HDEL', owned_by(me), lane)\n", ""),
    ("finish_leaves_the_lane_out_of_line", "finish", "make_ready(lane, false)", ""),
    ("finish_puts_the_lane_in_front", "finish", "make_ready(lane, false)", "make_ready(lane, true)"),
    ("finish_forgets_the_backlog", "finish", "  unpark(user, limits)\n", ""),
    ("finish_writes_no_reply", "finish", "redis.pcall('RPUSH', reply_to, reply)", ""),
    (
        "finish_replies_twice",
        "finish",
        "redis.pcall('RPUSH', reply_to, reply)",
        "redis.pcall('RPUSH', reply_to, reply, reply)",
    ),
    ("a_reply_never_expires", "finish", "redis.pcall('PEXPIRE', reply_to, ARGV[7])", ""),
    ("finish_writes_no_dead_letter", "finish", "redis.call('XADD', dead,", "type('',"),
    ("give_back_to_the_end", "common", "make_ready(lane, true)", "make_ready(lane, false)"),
    ("give_back_keeps_the_ownership", "common", "  redis.call('HDEL', owned_by(instance), lane)\n", ""),
    ("a_user_is_ready_twice", "common", "lanes_of(user), lane) == 1 then", "lanes_of(user), lane) >= 1 then"),
    ("a_user_is_never_ready", "common", "redis.call(push, ready, user)", "type(user)"),
    (
        "park_makes_a_lane_ready_twice",
        "common",
        "redis.call('RPUSH', lane_key(lane), ticket) == 1",
        "redis.call('RPUSH', lane_key(lane), ticket)",
    ),
    ("park_does_not_count", "common", "  redis.call('HINCRBY', parked, user_of(lane), 1)\n", ""),
    ("unpark_keeps_a_zero", "common", "if count <= 0 then redis.call('HDEL', parked, user) end", ""),
    (
        "unpark_takes_the_youngest",
        "common",
        "redis.call('LPOP', backlog_of(user))",
        "redis.call('RPOP', backlog_of(user))",
    ),
    ("unpark_takes_one_too_many", "common", "limits.share - count,", "limits.share - count + 1,"),
    (
        "unpark_forgets_when",
        "common",
        "ticket, raw, first_seen)\n  end\nend",
        "ticket, raw, ms_text(now_ms()))\n  end\nend",
    ),
    ("admit_ignores_the_backlog", "common", " or redis.call('EXISTS', backlog_of(user)) == 1 then", " then"),
    ("admit_ignores_the_share", "common", "share_used >= limits.share or ", ""),
    (
        "admit_takes_the_wrong_end",
        "common",
        "redis.call('LINDEX', jobs, -1)",
        "redis.call('LINDEX', jobs, 0)",
    ),
    (
        "admit_leaves_the_job_in_the_list",
        "common",
        "  redis.call('RPOP', jobs)\n  -- Nothing",
        "  -- Nothing",
    ),
    ("ingest_ignores_what_is_parked", "common", "if moved >= limits.room then break end", ""),
    ("deliver_owns_nothing", "common", "  redis.call('HSET', owned_by(me), lane, ticket)\n", ""),
    (
        "deliver_counts_a_death",
        "common",
        "write_meta(ticket, deliveries + 1, deaths,",
        "write_meta(ticket, deliveries + 1, deaths + 1,",
    ),
    (
        "claim_forgets_the_rest_of_a_user",
        "common",
        "redis.call('RPUSH', ready, user) end\n      if loser",
        "type(user) end\n      if loser",
    ),
    (
        "claim_serves_a_user_to_his_end",
        "common",
        "redis.call('RPUSH', ready, user) end\n      if loser",
        "redis.call('LPUSH', ready, user) end\n      if loser",
    ),
    ("the_dead_may_take", "common", "redis.call('ZSCORE', instances, me) ~= false", "true"),
    ("takeover_counts_no_death", "heartbeat", "    count_death(owned[i + 1])\n", ""),
    ("takeover_keeps_the_dead", "heartbeat", "  redis.call('ZREM', instances, instance)\n", ""),
    ("takeover_gives_nothing_back", "heartbeat", "    give_back(instance, owned[i])\n", ""),
    ("takeover_of_the_living", "heartbeat", "'-inf', ms_text(now), 'LIMIT'", "'-inf', '+inf', 'LIMIT'"),
    ("heartbeat_raises_the_dead", "heartbeat", "if ARGV[4] ~= '1' and not lease_end then", "if false then"),
    ("heartbeat_judges_after_its_own_end", "heartbeat", "tonumber(lease_end) <= now then", "false then"),
    (
        "heartbeat_does_not_renew",
        "heartbeat",
        "redis.call('ZADD', instances, renewed, me)",
        "redis.call('ZADD', instances, '1', me)",
    ),
    (
        "heartbeat_hides_what_is_owned",
        "heartbeat",
        "return {1, taken_back, redis.call('HLEN', owned_by(me))}",
        "return {1, taken_back, 0}",
    ),
    ("reconcile_gives_back_what_is_known", "reconcile", "if not known[owned[i + 1]] then", "if true then"),
    ("reconcile_gives_back_nothing", "reconcile", "if not known[owned[i + 1]] then", "if false then"),
    (
        "reconcile_counts_a_death",
        "reconcile",
        "    given = given + 1",
        "    count_death(owned[i + 1])\n    given = given + 1",
    ),
    (
        "release_does_not_ask_who_owns_the_lane",
        "release",
        "~= ARGV[4] then return 0 end",
        "== 0 then return 0 end",
    ),
    ("release_always_counts", "release", "if ARGV[5] == '1' then", "if true then"),
    ("release_never_counts", "release", "if ARGV[5] == '1' then", "if false then"),
    ("leave_gives_nothing_back", "leave", "give_back(me, owned[i])", ""),
    ("leave_stays_registered", "leave", "redis.call('ZREM', instances, me)\n", ""),
    (
        "leave_counts_a_death",
        "leave",
        "give_back(me, owned[i])",
        "give_back(me, owned[i]) count_death(owned[i + 1])",
    ),
)


def mutated(texts, mutation):
    name, file, text, instead = mutation
    if texts[file].count(text) != 1:
        raise RuntimeError(f"{name}: {file}.lua has {texts[file].count(text)} times {text!r}")
    return {**texts, file: texts[file].replace(text, instead)}
