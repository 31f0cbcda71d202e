#include "prefix_cache.hpp"

#include "json_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>

namespace engram::simulator {
namespace json = boost::json;
namespace {

constexpr std::size_t most_entries = 200'000;
constexpr std::size_t most_breakpoints = 4;
constexpr std::size_t look_back = 20;

struct prompt_block {
    std::uint64_t prefix;         ///< digest of everything up to here
    std::int64_t tokens;          ///< of everything up to here
    std::chrono::seconds ttl{0};  ///< not zero: a breakpoint
};

struct chain {
    std::vector<prompt_block> blocks;
    std::uint64_t digest = 0;
    std::int64_t tokens = 0;

    void add(std::string_view text, std::chrono::seconds ttl) {
        digest ^= std::hash<std::string_view>{}(text) + 0x9e3779b97f4a7c15ULL + (digest << 6) + (digest >> 2);
        tokens += estimate_tokens(text);
        blocks.push_back({digest, tokens, ttl});
    }
};

std::chrono::seconds ttl_of(json::object const& holder) {
    auto const* v = value_at(holder, "cache_control");
    auto const* control = v ? v->if_object() : nullptr;
    if (!control) return {};
    return std::chrono::seconds(string_at(*control, "ttl") == "1h" ? 3600 : 300);
}

void add_blocks(chain& c, json::value const& content, std::string_view role) {
    c.digest ^= std::hash<std::string_view>{}(role);
    if (content.is_string()) return c.add(view(content.get_string()), {});
    auto const* blocks = content.if_array();
    if (!blocks) return;
    for (auto const& b : *blocks) {
        auto const* block = b.if_object();
        if (!block) continue;
        auto const text = string_at(*block, "text");
        if (text) {
            c.add(*text, ttl_of(*block));
            continue;
        }
        auto bare = *block;  // where a breakpoint stands does not change what the prefix is
        bare.erase("cache_control");
        c.add(json::serialize(bare), ttl_of(*block));
    }
}

chain chain_of(messages_request const& r) {
    chain c;
    auto const& body = *r.body;
    c.digest = std::hash<std::string_view>{}(r.model->id);
    // What changes the whole prompt's meaning is part of every prefix.
    for (std::string_view key : {"thinking", "output_config", "tool_choice"})
        if (auto const* v = value_at(body, key)) c.digest ^= std::hash<std::string>{}(json::serialize(*v));
    if (auto const* tools = value_at(body, "tools")) add_blocks(c, *tools, "tools");
    if (auto const* system = value_at(body, "system")) add_blocks(c, *system, "system");
    for (auto const& m : body.at("messages").get_array()) {
        auto const& message = m.get_object();
        add_blocks(c, message.at("content"), string_at(message, "role").value_or(""));
    }
    if (auto const automatic = ttl_of(body); automatic.count() != 0 && !c.blocks.empty())
        c.blocks.back().ttl = std::max(c.blocks.back().ttl, automatic);
    return c;
}

std::optional<api_error> check_breakpoints(chain const& c, std::vector<std::size_t>& breakpoints) {
    bool short_seen = false;
    for (std::size_t i = 0; i < c.blocks.size(); ++i) {
        auto const ttl = c.blocks[i].ttl.count();
        if (ttl == 0) continue;
        breakpoints.push_back(i);
        if (ttl > 300 && short_seen)
            return invalid_request("cache_control: a ttl='1h' block must not come after a ttl='5m' block");
        short_seen = short_seen || ttl <= 300;
    }
    if (breakpoints.size() > most_breakpoints)
        return invalid_request("A maximum of 4 blocks with cache_control may be provided. Found " +
                               std::to_string(breakpoints.size()) + '.');
    return {};
}

}  // namespace

std::optional<api_error> prefix_cache::plan(messages_request const& r, clock::time_point now,
                                            cache_plan& into) {
    auto const c = chain_of(r);
    std::vector<std::size_t> breakpoints;
    if (auto bad = check_breakpoints(c, breakpoints)) return bad;
    into.usage.input_tokens = r.prompt_tokens;
    if (breakpoints.empty() || c.blocks[breakpoints.back()].tokens < r.model->cache_minimum_tokens) return {};
    if (entries_.size() > most_entries) sweep(now);

    std::int64_t read = 0;
    for (auto b = breakpoints.rbegin(); b != breakpoints.rend() && read == 0; ++b)
        for (std::size_t back = 0; back <= look_back && back <= *b; ++back) {
            auto const& block = c.blocks[*b - back];
            auto const found = entries_.find(block.prefix);
            if (found == entries_.end() || found->second.expires <= now) continue;
            found->second.expires = now + found->second.ttl;  // reading refreshes
            read = block.tokens;
            break;
        }
    auto reached = read;
    for (auto i : breakpoints) {
        auto const& block = c.blocks[i];
        if (block.tokens <= reached || block.tokens < r.model->cache_minimum_tokens) continue;
        (block.ttl.count() > 300 ? into.usage.cache_write_1h : into.usage.cache_write_5m) +=
            block.tokens - reached;
        into.writes.push_back({block.prefix, now + block.ttl, block.ttl});
        reached = block.tokens;
    }
    into.usage.cache_read = read;
    into.usage.input_tokens = std::max<std::int64_t>(0, r.prompt_tokens - reached);
    return {};
}

void prefix_cache::publish(std::vector<cache_write> const& writes) {
    for (auto const& w : writes)
        entries_[w.prefix] = {w.expires, w.ttl};
}

void prefix_cache::sweep(clock::time_point now) {
    std::erase_if(entries_, [now](auto const& e) { return e.second.expires <= now; });
    if (entries_.size() > most_entries) entries_.clear();
}

}  // namespace engram::simulator
