// Asking a person before something is destroyed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

struct question {
    std::string text;                   ///< safe to print; ends with what is to be typed
    std::vector<std::string> consents;  ///< one of them was typed: go on
    std::string refusal;                ///< said when anything else was
};

/// EX_USAGE and a complaint that --yes is required, if there is no terminal to ask on; else none.
/// `why` says what is lost.
[[nodiscard]] std::optional<int> refuse_without_terminal(std::string_view why);

/// Asks on standard error, and reads the answer from standard input. None: go on; else the exit code.
[[nodiscard]] std::optional<int> ask(question const& question);

}  // namespace engram::ctl
