// A request to POST /v1/messages or /v1/messages/count_tokens, checked as the API checks it.
#pragma once

#include "api_error.hpp"
#include "models.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::simulator {

enum class speaker { user, assistant, system };

/// Neighbouring messages of one role are one turn.
struct turn {
    speaker who = speaker::user;
    std::vector<std::string_view> texts;  ///< its text blocks
};

enum class api_version { v2023_06_01, v2026_10_21 };
enum class endpoint { messages, count_tokens };

/// Its views point into the JSON value it was read from, which must outlive it.
struct messages_request {
    boost::json::object const* body = nullptr;
    model_info const* model = nullptr;
    std::int64_t max_tokens = 0;
    bool stream = false;
    bool thinks = false;  ///< the answer begins with a thinking block
    std::string system;   ///< all system text, a block a line at least
    std::vector<turn> turns;
    std::vector<std::string_view> stop_sequences;
    std::int64_t prompt_tokens = 0;  ///< estimate, as count_tokens answers it

    /// The last text block of the last user turn: what the user says now. Empty if there is none.
    [[nodiscard]] std::string_view new_message() const;
    /// The text blocks before it in the same turn: what a client recalled for it.
    [[nodiscard]] std::vector<std::string_view> blocks_before_new_message() const;
};

/// About four bytes a token, at least one for any text.
[[nodiscard]] std::int64_t estimate_tokens(std::string_view text);

/// What the API says of a model that it does not know, and of a prompt that is too long.
[[nodiscard]] api_error no_such_model(std::string_view name);
[[nodiscard]] api_error prompt_too_long(std::int64_t tokens, std::int64_t most);

/// Returns what is wrong, as the API words it; `into` is complete only if nothing is. A model set in `into`
/// beforehand stands in for one that is not known.
[[nodiscard]] std::optional<api_error> read_messages_request(boost::json::value const& body, endpoint to,
                                                             api_version version, messages_request& into);

/// The rules that differ by model and version: thinking, sampling, prefill, forced tools, system messages.
/// `into` has its model, limits and turns.
[[nodiscard]] std::optional<api_error> check_model_rules(messages_request& into, api_version version);

}  // namespace engram::simulator
