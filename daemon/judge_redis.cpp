#include "daemon/judge_redis.hpp"

#include "queue/refusal.hpp"
#include "redis/server_check.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>

namespace engram::daemon {
namespace {

using std::chrono::milliseconds;
using enum finding::grade;

constexpr std::uint64_t connections_of_an_instance = 4;
constexpr std::uint64_t mib = 1024 * 1024;

bool holds(std::string_view text, std::string_view piece) {
    return text.find(piece) != std::string_view::npos;
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// A limit of Redis and the least that is well; 0 is none.
struct least {
    std::string_view name;
    std::uint64_t value;
    std::string_view usual;
    std::string_view effect;
};
constexpr std::array least_values{
    least{"proto-max-bulk-len", 8 * mib, "512mb", "a large reply is refused"},
    least{"client-query-buffer-limit", 16 * mib, "1gb", "a large reply ends the connection"},
    least{"lua-time-limit", 1000, "5000", "a daemon that takes many jobs makes Redis refuse others"}};

// The hard limit of ordinary clients in "normal 0 0 0 slave …".
std::uint64_t output_limit(std::string_view value) {
    std::istringstream in{std::string(value)};
    for (std::string word; in >> word;)
        if (word == "normal" && in >> word) return number_of(word);
    return 0;
}

findings judge_room(std::string_view info) {
    findings found;
    auto const used = number_of(redis::info_field(info, "used_memory"));
    auto const most = number_of(redis::info_field(info, "maxmemory"));
    auto const cure = "raise maxmemory of Redis, or see what fills it";
    if (most > 0 && used >= most)
        found.push_back(
            {failure, std::string(redis_is_full) + " (maxmemory " + size_text(most) + "): pushes are refused",
             cure, true});
    else if (most > 0 && used > most / 10 * 9)
        found.push_back(
            {warning, "Redis is almost full: " + size_text(used) + " of " + size_text(most), cure});
    auto const clients = number_of(redis::info_field(info, "connected_clients"));
    auto const most_clients = number_of(redis::info_field(info, "maxclients"));
    if (most_clients > 0 && clients + connections_of_an_instance > most_clients)
        found.push_back({warning,
                         "Redis has " + std::to_string(clients) + " clients of at most " +
                             std::to_string(most_clients) + "; an instance needs 4",
                         "raise maxclients of Redis"});
    return found;
}

}  // namespace

findings judge_server(std::string_view info, std::string_view prefix) {
    findings found;
    for (auto const& risk : redis::server_risks(info, prefix)) {
        // Each ends with the setting that ends it.
        auto const at = risk.rfind("; ");
        if (at == std::string::npos)
            found.push_back({warning, risk});
        else
            found.push_back({warning, risk.substr(0, at), risk.substr(at + 2)});
    }
    if (redis::info_field(info, "aof_last_write_status") == "err" ||
        redis::info_field(info, "rdb_last_bgsave_status") == "err")
        found.push_back({warning, "Redis could not write to its disk when it last tried",
                         "make room on its disk; its own log says more"});
    for (auto& one : judge_room(info))
        found.push_back(std::move(one));
    return found;
}

finding judge_refusal(std::string_view refusal) {
    auto const said = " (" + std::string(refusal) + ')';
    auto const* const known = queue::meaning_of(refusal);
    if (known == nullptr) return {failure, "Redis refuses what has to be done" + said};
    return {failure, std::string(known->what) + said, std::string(known->cure), known->passes};
}

std::optional<finding> judge_setting(std::string_view name, std::string_view value, milliseconds lease) {
    auto const warn = [&](std::string const& effect, std::string const& cure) {
        return finding{warning, std::string(name) + " of Redis is " + std::string(value) + ": " + effect,
                       "CONFIG SET " + std::string(name) + ' ' + cure + ", then CONFIG REWRITE"};
    };
    auto const number = number_of(value);
    auto const* const known = std::ranges::find(least_values, name, &least::name);
    if (known != least_values.end()) {
        if (number == 0 || number >= known->value) return std::nullopt;
        return warn(std::string(known->effect), std::string(known->usual));
    }
    if (name == "timeout") {
        auto const needed = std::chrono::ceil<std::chrono::seconds>(lease).count();
        if (number == 0 || number > std::uint64_t(needed)) return std::nullopt;
        return warn("connections that wait for jobs are closed", "0");
    }
    if (name == "client-output-buffer-limit") {
        auto const most = output_limit(value);
        if (most == 0 || most >= 32 * mib) return std::nullopt;
        return warn("many jobs taken at a time end the connection", "\"normal 0 0 0\"");
    }
    return std::nullopt;
}

finding judge_no_connection(std::string_view trouble, bool locked_out) {
    auto const what = "no connection to Redis (" + std::string(trouble) + ')';
    if (locked_out)
        return {failure, what,
                "put user and password into redis.url (docs/redis.md, Users); in a URL, special characters "
                "of a password are written as %XX"};
    if (holds(trouble, "certificate"))
        return {
            failure, what,
            "name the authority's certificate in redis.ca_file, and the host as the certificate names it"};
    if (holds(trouble, "replica"))
        return {failure, what, "name the master in redis.url, or its Sentinels in redis.sentinels", true};
    if (holds(trouble, "LOADING")) return {failure, what, "wait: it is loading its data", true};
    return {failure, what, "start Redis, or mend redis.url", true};
}

}  // namespace engram::daemon
