// What the tests of prompts share: memories and turns to show, and the parts of a request that show them.
#pragma once

#include "workers/adversarial.hpp"
#include "workers/chat/prompt.hpp"

#include <string>
#include <utility>

namespace engram::test {

inline constexpr std::size_t plenty = 4'000;

inline store::memory memory(std::int64_t label, std::string content, std::string type = "fact",
                            std::string session = {}) {
    return {100 + label,           std::move(type),    std::move(content),
            "2026-11-23 10:00:00", std::move(session), label};
}

inline store::found_memory found(std::int64_t label, std::string content, double score = 1) {
    return {memory(label, std::move(content)), score, "words: x"};
}

inline store::found_turn found(std::int64_t id, store::role role, std::string content, double score = 1) {
    return {{id, role, std::move(content)}, "earlier", "2026-03-01 09:30:00.250", score, "words: x"};
}

// A content with which a line of "- #<one digit> (fact, 2026-11-23) " has a hundred tokens.
inline std::string hundred_tokens(char filling) {
    return std::string(400 - std::string_view("- #1 (fact, 2026-11-23) \n").size(), filling);
}

inline std::string list_of(claude::request const& request) {
    return request.system.size() > 1 ? request.system[1].text() : "";
}

inline std::string recalled_of(claude::request const& request) {
    auto const& last = request.messages.back().content;
    if (last.size() < 2) return {};
    auto const& text = last[last.size() - 2].text();
    return text.starts_with("<recalled>") ? text : "";
}

inline std::string list_recalled(store::context const& context, workers::shown_ids shown, std::size_t limit,
                                 std::size_t tokens) {
    return workers::list_recalled(context, shown, limit, tokens);
}

}  // namespace engram::test
