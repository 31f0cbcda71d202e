#include "redis/server_check.hpp"

#include <charconv>

namespace engram::redis {

namespace {

bool is_older_than_6_2(std::string_view version) {
    int major = 0;
    int minor = 0;
    auto const* const end = version.data() + version.size();
    auto const first = std::from_chars(version.data(), end, major);
    if (first.ec != std::errc()) return false;
    if (first.ptr != end) std::from_chars(first.ptr + 1, end, minor);
    return major < 6 || (major == 6 && minor < 2);
}

// Redis Cluster puts keys with the same part in braces on the same node.
bool has_hash_tag(std::string_view prefix) {
    auto const open = prefix.find('{');
    auto const close = prefix.find('}', open == std::string_view::npos ? prefix.size() : open);
    return close != std::string_view::npos && close > open + 1;
}

}  // namespace

// Lines of "name:value\r\n".
std::string_view info_field(std::string_view info, std::string_view name) {
    for (std::size_t at = 0; at < info.size();) {
        auto const end = info.find('\n', at);
        auto line = info.substr(at, end == std::string_view::npos ? end : end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
            return line.substr(name.size() + 1);
        if (end == std::string_view::npos) break;
        at = end + 1;
    }
    return {};
}

std::vector<std::string> server_risks(std::string_view info, std::string_view prefix) {
    std::vector<std::string> risks;
    auto const policy = info_field(info, "maxmemory_policy");
    if (!policy.empty() && policy != "noeviction")
        risks.push_back("Redis throws keys away when it is full (maxmemory-policy " + std::string(policy) +
                        "): jobs and replies would be lost; set maxmemory-policy noeviction");
    if (info_field(info, "aof_enabled") == "0")
        risks.emplace_back(
            "Redis keeps no append-only file: when it ends, every job since its last snapshot is "
            "lost, or all of them; set appendonly yes");
    auto const version = info_field(info, "redis_version");
    if (is_older_than_6_2(version))
        risks.push_back("Redis " + std::string(version) + " is too old: 6.2 or later is needed");
    if (info_field(info, "cluster_enabled") == "1" && !has_hash_tag(prefix))
        risks.push_back(
            "this is a Redis Cluster, and redis.prefix has no hash tag, so that the keys are on "
            "different nodes and nothing can be taken; set it to {" +
            std::string(prefix) + "}");
    return risks;
}

}  // namespace engram::redis
