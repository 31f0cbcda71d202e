#include "daemon/unit_facts.hpp"

#include "daemon/unit_text.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

namespace engram::daemon {
namespace {

using enum finding::grade;

void set_variables(variables& to, std::vector<std::string> const& words) {
    for (auto const& word : words)
        if (auto const at = word.find('='); at != std::string::npos)
            to[word.substr(0, at)] = word.substr(at + 1);
}

// "65536", "1024:65536" or "infinity": the higher one, which the daemon takes.
std::optional<std::size_t> limit_in(std::string_view value) {
    constexpr std::size_t no_limit = 1'000'000'000;
    value = value.substr(value.find(':') + 1);
    if (value == "infinity") return no_limit;
    std::size_t limit = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
    return error == std::errc() && end == value.data() + value.size() ? std::optional(limit) : std::nullopt;
}

// The escapes that a text without binary bytes needs.
std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool const is_escape = text[i] == '\\' && i + 1 < text.size();
        char const c = is_escape ? text[++i] : text[i];
        plain += !is_escape ? c : c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 's' ? ' ' : c;
    }
    return plain;
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string_view value_of(variables const& environment, std::string_view name) {
    auto const found = environment.find(name);
    return found == environment.end() ? std::string_view() : std::string_view(found->second);
}

std::string expand_variables(std::string_view word, variables const& environment) {
    std::string expanded;
    while (!word.empty()) {
        auto const end = word.find('}');
        bool const is_variable =
            word.starts_with("${") && end != std::string_view::npos && is_name(word.substr(2, end - 2));
        bool const is_dollar = word.starts_with("$$");
        if (is_variable)
            expanded += value_of(environment, word.substr(2, end - 2));
        else
            expanded += word.front();
        word.remove_prefix(is_variable ? end + 1 : is_dollar ? 2 : 1);
    }
    return expanded;
}

class reader {
public:
    explicit reader(std::string_view name) : name_(name) {}

    void take(assignment const& line) {
        auto const value = expand_specifiers(line.value, name_);
        auto const words = split_words(value);
        if (line.key == "User")
            facts.user = value;
        else if (line.key == "Group")
            facts.group = value;
        else if (line.key == "LimitNOFILE")
            facts.file_limit = limit_in(value);
        else if (line.key == "ProtectSystem")
            facts.protects_system = value == "strict";
        else if (line.key == "ExecStart")
            facts.arguments = words.empty() ? words : std::vector(words.begin() + 1, words.end());
        else if (line.key == "DynamicUser")
            facts.is_user_dynamic = value == "yes" || value == "true" || value == "on" || value == "1";
        else if (line.key == "SetCredential" || line.key == "SetCredentialEncrypted")
            take_set_credential(value, line.key.ends_with("Encrypted"));
        else if (line.key == "LoadCredential" || line.key == "LoadCredentialEncrypted")
            take_credential(value, line.key.ends_with("Encrypted"));
        else
            take_list(line.key, value, words);
    }

    unit_facts facts;

private:
    void take_credential(std::string const& value, bool encrypted) {
        auto const at = value.find(':');
        auto const id = value.substr(0, at);
        if (value.empty())
            facts.credentials.clear();
        else if (encrypted)
            facts.encrypted.push_back(id);
        else
            facts.credentials[id] = at == std::string::npos ? "" : value.substr(at + 1);
    }

    void take_set_credential(std::string const& value, bool encrypted) {
        auto const at = value.find(':');
        if (value.empty())
            facts.set_credentials.clear();
        else if (encrypted)
            facts.encrypted.push_back(value.substr(0, at));
        else if (at != std::string::npos)
            facts.set_credentials[value.substr(0, at)] = unescape(std::string_view(value).substr(at + 1));
    }

    // An empty value takes back what stands before.
    void take_list(std::string const& key, std::string const& value, std::vector<std::string> const& words) {
        if (key == "Environment") {
            if (value.empty()) facts.environment.clear();
            set_variables(facts.environment, words);
        } else if (key == "EnvironmentFile") {
            if (value.empty()) facts.environment_files.clear();
            if (!value.empty()) facts.environment_files.push_back(value);
        } else if (key == "SupplementaryGroups") {
            if (value.empty()) facts.more_groups.clear();
            facts.more_groups.insert(facts.more_groups.end(), words.begin(), words.end());
        } else if (key == "ReadWritePaths") {
            if (value.empty()) facts.writable.clear();
            for (auto const& word : words)
                facts.writable.push_back(path_in(word));
        } else if (key == "StateDirectory") {
            if (value.empty()) facts.states.clear();
            for (auto const& word : words)
                facts.states.push_back("/var/lib/" + word);
        }
    }

    std::string_view name_;
};

}  // namespace

std::string path_in(std::string const& word) {
    return word.substr(std::min(word.find('/'), word.size()));
}

unit_facts parse_unit(std::string_view text, std::string_view name) {
    reader all(name);
    for (auto const& line : read_assignments(text))
        if (line.section == "Service") all.take(line);
    return std::move(all.facts);
}

std::vector<std::string> arguments_of(unit_facts const& unit, variables const& environment) {
    std::vector<std::string> all;
    for (std::string_view const word : unit.arguments) {
        if (word.starts_with('$') && is_name(word.substr(1))) {
            auto more = split_words(value_of(environment, word.substr(1)));
            all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
        } else {
            all.push_back(expand_variables(word, environment));
        }
    }
    return all;
}

void add_environment(variables& to, std::string_view text) {
    for (auto const& line : read_assignments(text)) {
        auto const words = split_words(line.value);
        std::string value;
        for (auto const& word : words)
            value += (value.empty() ? "" : " ") + word;
        to[line.key] = value;
    }
}

std::optional<finding> judge_walls(unit_facts const& unit, std::string const& path) {
    if (!unit.protects_system) return std::nullopt;
    auto const is_below = [&](std::string const& folder) {
        return path == folder || path.starts_with(folder.ends_with('/') ? folder : folder + '/');
    };
    if (std::ranges::any_of(unit.writable, is_below) || std::ranges::any_of(unit.states, is_below))
        return std::nullopt;
    auto const folder = path.substr(0, path.rfind('/'));
    return finding{failure,
                   "the unit may not write to " + folder + ", where store.path is (ProtectSystem=strict)",
                   "systemctl edit the unit, add ReadWritePaths=" + folder + " to its [Service]"};
}

}  // namespace engram::daemon
