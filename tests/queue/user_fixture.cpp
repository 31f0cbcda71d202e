#include "user_fixture.hpp"

#include "queue/scripts.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace engram::test {

using queue::user_job;

namespace {

// '' or what does not hold. ARGV[1]: the share.
constexpr char const* broken_promise = R"lua(
local function names(of)
  local found = {}
  for _, name in ipairs(redis.call('KEYS', 'engram:' .. of .. ':*')) do
    found[string.sub(name, #of + 9)] = redis.call('TYPE', name).ok == 'hash' and redis.call('HGETALL', name)
      or redis.call('LRANGE', name, 0, -1)
  end
  return found
end
local function user_of(lane)
  local length, from = string.match(lane, '^(%d+):()')
  if not length then length, from = string.match(lane, '^~%l+:(%d+):()') end
  return length and string.sub(lane, from, from + length - 1) or ''
end
local lanes, lines, backlogs = names('lane'), names('lanes'), names('backlog')
local states, parked, tickets, behind = {}, {}, 0, 0
for user, line in pairs(lines) do
  for _, lane in ipairs(line) do
    states[lane] = (states[lane] or 0) + 1
    if user_of(lane) ~= user then return lane .. ' is in the line of ' .. user end
  end
end
for instance, owned in pairs(names('owned')) do
  for i = 1, #owned, 2 do
    states[owned[i]] = (states[owned[i]] or 0) + 1
    if (lanes[owned[i]] or {})[1] ~= owned[i + 1] then return owned[i + 1] .. ' is owned and not first' end
  end
end
local delayed = redis.call('ZRANGE', 'engram:delayed', 0, -1)
for _, lane in ipairs(delayed) do
  states[lane] = (states[lane] or 0) + 1
  if redis.call('HEXISTS', 'engram:delays', lane) == 0 then return lane .. ' is delayed without a reason' end
end
if redis.call('HLEN', 'engram:delays') ~= #delayed then return 'reasons without delays' end
for lane, line in pairs(lanes) do
  if states[lane] ~= 1 then return lane .. ' is ready, owned or delayed ' .. (states[lane] or 0) .. ' times' end
  states[lane] = nil
  local user = user_of(lane)
  parked[user] = (parked[user] or 0) + #line
  tickets = tickets + #line
  for _, ticket in ipairs(line) do
    if redis.call('HEXISTS', 'engram:body', ticket) == 0 then return ticket .. ' has no body' end
    if redis.call('HEXISTS', 'engram:meta', ticket) == 0 then return ticket .. ' has no meta' end
  end
end
for lane in pairs(states) do return lane .. ' is ready, owned or delayed, and empty' end
if redis.call('HLEN', 'engram:body') ~= tickets then return 'bodies without tickets' end
if redis.call('HLEN', 'engram:meta') ~= tickets then return 'meta without tickets' end
local counted = redis.call('HGETALL', 'engram:parked')
for i = 1, #counted, 2 do
  if parked[counted[i]] ~= tonumber(counted[i + 1]) then return counted[i] .. ' has another count' end
  parked[counted[i]] = nil
end
for user in pairs(parked) do return user .. ' is not counted' end
for _, user in ipairs(redis.call('LRANGE', 'engram:ready', 0, -1)) do
  if not lines[user] then return user .. ' is ready twice, or without lanes' end
  lines[user] = nil
end
for user in pairs(lines) do return user .. ' has lanes and is not ready' end
for user, line in pairs(backlogs) do
  behind = behind + #line
  if tonumber(redis.call('HGET', 'engram:parked', user) or 0) < tonumber(ARGV[1]) then
    return user .. ' has a backlog and places left'
  end
end
if tonumber(redis.call('GET', 'engram:behind') or 0) ~= behind then return 'P:behind is wrong' end
return ''
)lua";

}  // namespace

user_fixture::user_fixture()
    : queue_fixture({"--rdbcompression", "no"}), hand(*this, server.url()), set(options()) {}

void user_fixture::check_promises() {
    auto const share = std::to_string(set.max_parked_per_user);
    BOOST_TEST(look({"EVAL", broken_promise, "0", share}) == "");
}

task<std::vector<user_job>> user_fixture::find(std::string user, std::size_t limit) {
    auto found = co_await queue::find_user_jobs(hand.redis, "engram", user, limit);
    if (!found) throw std::runtime_error(found.error().message);
    co_return *found;
}

task<bool> user_fixture::cancel(user_job what) {
    auto const key = "engram:reply:" + id_of(what.body);
    auto const done = co_await queue::cancel_user_job(hand.redis, set, what, key, "ended");
    if (!done) throw std::runtime_error(done.error().message);
    co_return *done;
}

task<std::size_t> user_fixture::erase(std::string user) {
    auto const erased = co_await queue::erase_dead_letters(hand.redis, "engram", user, {});
    if (!erased) throw std::runtime_error(erased.error().message);
    co_return *erased;
}

task<user_job> user_fixture::only(std::string user) {
    auto const found = co_await find(user);
    if (found.size() != 1) throw std::runtime_error(std::to_string(found.size()) + " jobs were found");
    co_return found.front();
}

task<user_job> user_fixture::job_of(std::string user, std::string id) {
    auto const found = co_await find(user);
    for (auto const& one : found)
        if (id_of(one.body) == id) co_return one;
    throw std::runtime_error("there is no job " + id);
}

std::string user_fixture::call(redis::script const& which, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"EVAL", std::string(which.body()), "1", "engram:jobs", "engram"});
    return look(arguments);
}

void user_fixture::take(std::string const& instance, std::string const& ingest, std::string const& claim) {
    call(queue::all_scripts().take,
         {instance, ingest, claim, std::to_string(set.max_parked), std::to_string(set.max_parked_per_user),
          std::to_string(set.max_job_bytes), "t" + std::to_string(++takes_), "3600000", "[]", "8388608"});
}

void user_fixture::bury(std::string const& job) {
    look({"XADD", "engram:dead", "*", "id", "i", "reason", "internal", "message", "m", "job", job});
}

void user_fixture::end_pauses() {
    look({"EVAL",
          "for _, lane in ipairs(redis.call('ZRANGE', 'engram:delayed', 0, -1)) do "
          "redis.call('ZADD', 'engram:delayed', 1, lane) end",
          "0"});
}

task<std::shared_ptr<turn>> user_fixture::park(worker& w) {
    co_await w.start();
    auto const blocker = co_await w.next();
    co_await until("all are parked", [&] { return look({"LLEN", "engram:jobs"}) == "0"; });
    co_return blocker;
}

std::string user_fixture::id_of(std::string const& body) {
    auto const at = body.find("\"id\":\"");
    return at == std::string::npos ? "none" : body.substr(at + 6, body.find('"', at + 6) - at - 6);
}

}  // namespace engram::test
