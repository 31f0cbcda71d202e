// What is said to the Messages API, and what it answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace engram::claude {

enum class role { user, assistant };

struct text_block {
    std::string text;  ///< in a request: must not be blank
};

/// One piece of a message. Each kind of piece is an alternative of `what`.
struct content_block {
    /// A piece of text.
    content_block(std::string text, bool breakpoint = false)
        : what(text_block{std::move(text)}), cache_breakpoint(breakpoint) {}

    /// Throws std::bad_variant_access if it is of another kind.
    [[nodiscard]] std::string const& text() const { return std::get<text_block>(what).text; }

    std::variant<text_block> what;
    bool cache_breakpoint;  ///< of a request: the provider is to cache what ends here
};

struct message {
    claude::role role = claude::role::user;
    std::vector<content_block> content;
};

/// Messages begin with a user message and alternate; the last is the user's.
struct request {
    std::string model;
    std::uint32_t max_tokens = 1024;
    std::vector<content_block> system;
    std::vector<message> messages;
    /// A JSON schema that the answer is to follow, as it goes over the wire; empty: free text. A refused or
    /// cut answer may break it, and a compatible server may not know of it.
    std::string output_schema = {};
    /// How much the model is to think ("low" to "max"): output_config.effort; empty: its own default.
    std::string effort = {};
};

struct usage {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::int64_t cache_read_input_tokens = 0;
    std::int64_t cache_creation_input_tokens = 0;
};

struct answer {
    std::vector<content_block> content;  ///< in order; kinds of blocks that are not known here are left out
    std::string model;                   ///< as the server says it
    std::string stop_reason;             ///< as the server says it; "" if it says none
    claude::usage usage;
    std::optional<double> cost_usd;  ///< none where no price is known
    std::string request_id;
    /// Tries that this answer took. A request sent again because an idle connection had died is not a try of
    /// its own.
    unsigned attempts = 1;

    /// The text of all text blocks in order, joined as it is; may be empty. Makes a copy, which an answer
    /// that is not needed any more (`std::move(answer).text()`) mostly saves.
    [[nodiscard]] std::string text() const&;
    [[nodiscard]] std::string text() &&;
};

}  // namespace engram::claude
