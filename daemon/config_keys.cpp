#include "daemon/config_keys.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace engram::daemon {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

/// The known name nearest to `name`, or empty if none is near.
std::string_view nearest_name(std::string_view name) {
    std::string_view best;
    std::size_t best_distance = std::min<std::size_t>(4, name.size() / 3 + 1);
    if (name.size() > 64) return best;
    for (auto const& section : config_sections()) {
        auto const distance = edit_distance(name, section.name);
        if (distance < best_distance) {
            best = section.name;
            best_distance = distance;
        }
    }
    for (auto const& key : config_keys()) {
        // The last part alone too: "url" for "redis.url".
        if (key.name.ends_with(name) && key.name[key.name.size() - name.size() - 1] == '.') return key.name;
        auto const distance = edit_distance(name, key.name);
        if (distance < best_distance) {
            best = key.name;
            best_distance = distance;
        }
    }
    return best;
}

/// The name as it may be shown: what somebody typed into the wrong place can be long or worse.
std::string shown(std::string_view name) {
    std::string out;
    for (unsigned char const c : name.substr(0, 64))
        out += (c < 0x20 || c >= 0x7F) ? '?' : static_cast<char>(c);
    return name.size() > 64 ? out + "…" : out;
}

bool looks_secret(std::string_view name) {
    std::string lower;
    for (char const c : name)
        lower += (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c == '-' ? '_' : c;
    return std::ranges::any_of(
               std::to_array<std::string_view>({"api_key", "apikey", "secret", "password", "passwd",
                                                "auth_token", "access_token", "credential"}),
               [&](std::string_view word) { return lower.find(word) != std::string::npos; }) ||
           lower.ends_with(".key") || lower == "key" || lower.ends_with(".token") || lower == "token";
}

}  // namespace

config_key const* find_key(std::string_view name) {
    auto const keys = config_keys();
    auto const found = std::ranges::find(keys, name, &config_key::name);
    return found == keys.end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(config_sections(), [&](config_section const& s) { return s.name == name; });
}

std::string environment_name(std::string_view key) {
    std::string name = "ENGRAMD_";
    for (char const c : key)
        name += c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 32) : c;
    return name;
}

std::string unknown_key_message(std::string_view name) {
    if (looks_secret(name)) {
        bool const embedding = name.starts_with("embedding");
        return shown(name) + " is not a configuration key: the API key belongs in the credential file " +
               (embedding ? "embedding_api_key" : "anthropic_api_key") +
               " (systemd's LoadCredential=) or in the variable " +
               (embedding ? "EMBEDDING_API_KEY" : "ANTHROPIC_API_KEY") + ", a Redis password in redis.url";
    }
    auto const meant = nearest_name(name);
    return "unknown key " + shown(name) + (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?");
}

}  // namespace engram::daemon
