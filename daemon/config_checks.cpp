#include "daemon/config_checks.hpp"

#include "redis/locator.hpp"
#include "redis/url.hpp"
#include "workers/time_zone.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace engram::daemon {
namespace {

bool is_graphic(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

std::optional<unsigned> read_unsigned(std::string_view text) {
    unsigned number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_port(std::string_view text) {
    auto const port = read_unsigned(text);
    return port && *port >= 1 && *port <= 65'535;
}

/// "host", "host:port", "[v6]" or "[v6]:port". With `may_lack_host`, ":port" and "" too.
std::string check_authority(std::string_view text, bool may_lack_host) {
    std::string_view host = text;
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        auto const close = text.find(']');
        if (close == std::string_view::npos) return "must close the bracket of its IPv6 address";
        host = text.substr(1, close - 1);
        auto const rest = text.substr(close + 1);
        has_port = !rest.empty();
        if (has_port && rest[0] != ':') return "must have nothing but :port after its IPv6 address";
        port = has_port ? rest.substr(1) : rest;
        may_lack_host = false;
    } else if (auto const colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        has_port = true;
        if (port.find(':') != std::string_view::npos) return "must have its IPv6 address in [brackets]";
    }
    if (host.empty() && !may_lack_host) return "must name a host";
    if (has_port && !is_port(port)) return "must have a port from 1 to 65535";
    return {};
}

/// The address of an API whose requests go to `path` below it, with a key from the variable `variable`.
std::string check_endpoint(std::string_view text, std::string const& path, std::string const& variable) {
    if (!is_graphic(text)) return "must not contain blanks or other than ASCII";
    bool const secure = text.starts_with("https://");
    if (!secure && !text.starts_with("http://")) return "must begin with https:// or http://";
    auto const rest = text.substr(secure ? 8 : 7);
    if (rest.find_first_of("?#") != std::string_view::npos) return "must not have ? or #";
    auto const authority = rest.substr(0, rest.find('/'));
    if (authority.find('@') != std::string_view::npos)
        return "must not hold a user or password: the key comes from the credential or " + variable;
    if (rest.ends_with(path)) return "must end before " + path + ", which is appended";
    return check_authority(authority, false);
}

}  // namespace

std::string check_redis_url(std::string_view text) {
    if (!is_graphic(text)) return "must not contain blanks or other than ASCII (percent-encode them)";
    auto const address = redis::parse_url(text);
    return address ? std::string() : address.error();
}

std::string check_sentinel(std::string_view text) {
    if (!is_graphic(text)) return "must not contain blanks or other than ASCII";
    auto const address = redis::parse_sentinel(text);
    return address ? std::string() : address.error();
}

std::string check_prefix(std::string_view text) {
    if (text.empty() || text.size() > 128 || !is_graphic(text))
        return "must be 1 to 128 visible ASCII characters";
    return {};
}

std::string check_base_url(std::string_view text) {
    return check_endpoint(text, "/v1/messages", "ANTHROPIC_API_KEY");
}

std::string check_embedding_url(std::string_view text) {
    return text.empty() ? std::string() : check_endpoint(text, "/v1/embeddings", "EMBEDDING_API_KEY");
}

std::string check_model(std::string_view text) {
    if (text.empty() || text.size() > 256 || !is_graphic(text))
        return "must be 1 to 256 visible ASCII characters";
    return {};
}

std::string check_embedding_model(std::string_view text) {
    return text.empty() ? std::string() : check_model(text);
}

std::string check_header_text(std::string_view text) {
    return check_prefix(text);
}

std::string check_store_path(std::string_view text) {
    if (text.empty()) return "must be the path of a file";
    if (text.starts_with(':') || text.starts_with("file:"))
        return "must be the path of a file: several connections share it, which a database in memory cannot "
               "do";
    if (text.ends_with('/')) return "must be the path of a file, not of a folder";
    return {};
}

std::string check_reply_prefix(std::string_view text) {
    return check_prefix(text);
}

std::string check_instance_name(std::string_view text) {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-";
    if (text.size() > 128 || text.find_first_not_of(allowed) != std::string_view::npos)
        return "must be at most 128 of A-Z a-z 0-9 . _ : @ -";
    return {};
}

std::string check_timezone(std::string_view text) {
    try {
        if (workers::time_zone::open(text) != nullptr) return {};
    } catch (workers::unreadable_zone const& lack) {
        return lack.what();
    }
    return "must be the IANA name of a time zone that the system knows (package tzdata), such as "
           "\"Europe/Berlin\"";
}

std::string check_listen(std::string_view text) {
    if (text.empty()) return {};
    if (!is_graphic(text) || text.find(':') == std::string_view::npos || text.ends_with(']'))
        return "must be address:port";
    return check_authority(text, true);
}

std::vector<std::string> cross_check(config const& values) {
    std::vector<std::string> problems;
    auto const& summary = values.summary;
    if (summary.keep_turns >= summary.trigger_turns) {
        problems.push_back("summary.keep_turns (" + std::to_string(summary.keep_turns) +
                           ") must be less than summary.trigger_turns (" +
                           std::to_string(summary.trigger_turns) + ")");
    }
    if (values.queue.max_parked < values.queue.max_in_flight) {
        problems.push_back("queue.max_parked (" + std::to_string(values.queue.max_parked) +
                           ") must not be less than queue.max_in_flight (" +
                           std::to_string(values.queue.max_in_flight) + ")");
    }
    if (values.queue.server.sentinels.empty() != values.queue.server.service.empty())
        problems.push_back("redis.sentinels and redis.service must be given together");
    if (!values.embedding.base_url.empty() && values.embedding.model.empty())
        problems.push_back("embedding.base_url needs embedding.model");
    // A producer that could send a reply into the daemon's own keys could write jobs for others.
    auto const own = values.queue.prefix + ":";
    for (auto const& prefix : values.queue.reply_prefixes) {
        if (own.starts_with(prefix) || (prefix.starts_with(own) && !prefix.starts_with(own + "reply:"))) {
            problems.push_back("queue.reply_prefixes must not cover the daemon's own keys (" + own +
                               "…): " + prefix);
        }
    }
    return problems;
}

std::vector<std::string> find_warnings(config const& values) {
    std::vector<std::string> warnings;
    if (values.summary.enabled && values.chat.history_turns < values.summary.trigger_turns) {
        warnings.push_back(
            "memory.history_turns is less than summary.trigger_turns: turns leave the prompt before "
            "a summary holds them");
    }
    if (values.summary.enabled && values.summary.trigger_bytes > values.chat.history_bytes) {
        warnings.push_back(
            "summary.trigger_bytes is above memory.history_bytes: long turns leave the prompt before a "
            "summary holds them");
    }
    auto const& fallbacks = values.claude.fallback_models;
    if (!fallbacks.empty() && std::ranges::count(fallbacks, values.chat.model) == std::ssize(fallbacks))
        warnings.push_back("claude.fallback_models has no effect: it names nothing but claude.model");
    if (values.queue.lease <= values.queue.server.command_timeout) {
        warnings.push_back(
            "queue.lease_ms is not above redis.command_timeout_ms: one slow answer of Redis may "
            "look like the death of this process");
    }
    if (!values.queue.server.ca_file.empty() && !values.queue.server.url.starts_with("rediss://"))
        warnings.push_back("redis.ca_file has no effect: redis.url is not rediss://");
    if (!values.claude.ca_file.empty() && !values.claude.base_url.starts_with("https://"))
        warnings.push_back("claude.ca_file has no effect: claude.base_url is not https://");
    if (!values.embedding.ca_file.empty() && !values.embedding.base_url.starts_with("https://"))
        warnings.push_back("embedding.ca_file has no effect: embedding.base_url is not https://");
    if (!values.embedding.model.empty() && values.embedding.base_url.empty())
        warnings.push_back("embedding.model has no effect: embedding.base_url is not set");
    auto const& consolidation = values.consolidation;
    if (consolidation.enabled && consolidation.every_memories > consolidation.most_memories) {
        warnings.push_back(
            "consolidation.every_memories is above consolidation.most_memories: some new memories "
            "are never shown to the model");
    }
    if (!values.http_listen.empty()) warnings.push_back("http.listen is reserved: nothing is served yet");
    return warnings;
}

}  // namespace engram::daemon
