#include "queue/refusal.hpp"

#include <algorithm>
#include <array>

namespace engram::queue {
namespace {

constexpr std::string_view right = "a right of the Redis user is missing";
constexpr std::string_view rights_cure =
    "set all lines of docs/redis.md (Users) again; ACL LOG in Redis names what was refused";
constexpr std::string_view nodes = "the keys are on different nodes of the cluster";
constexpr std::string_view nodes_cure = "give redis.prefix a hash tag: {engram}";
constexpr std::string_view old = "this Redis is too old, or a command was renamed";
constexpr std::string_view old_cure = "Redis 6.2 or later, with the commands of docs/redis.md";

constexpr std::array meanings{
    refusal{"NOPERM", right, rights_cure},
    refusal{"user executing the script", right, rights_cure},
    refusal{"ACL failure", right, rights_cure},
    refusal{"MISCONF", "Redis cannot write to its disk, and refuses every write",
            "make room on its disk; its own log says more", true, true},
    refusal{"OOM", "Redis is full", "raise maxmemory of Redis, or see what fills it", true, true},
    refusal{"READONLY", "Redis is a replica, which cannot be written to",
            "name the master in redis.url, or its Sentinels in redis.sentinels", true, true},
    refusal{"NOREPLICAS", "Redis has too few replicas, and refuses every write",
            "start the replicas, or lower min-replicas-to-write", true, true},
    refusal{"BUSY ", "Redis is busy with a script that does not end", "SCRIPT KILL in Redis", true},
    refusal{"CROSSSLOT", nodes, nodes_cure},
    refusal{"non local key", nodes, nodes_cure},
    refusal{"nknown command", old, old_cure},
    refusal{"nknown Redis command", old, old_cure},
    refusal{"WRONGTYPE", "a key below redis.prefix holds what another program put there",
            "give another redis.prefix, or delete that key"}};

}  // namespace

refusal const* meaning_of(std::string_view error) {
    auto const* const found = std::ranges::find_if(
        meanings, [&](refusal const& one) { return error.find(one.sign) != std::string_view::npos; });
    return found == meanings.end() ? nullptr : found;
}

}  // namespace engram::queue
