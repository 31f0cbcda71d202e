// What is kept beside texts so that they are found and compared: made before the transaction that writes them
// begins, because a long text takes milliseconds and a transaction keeps every other daemon from writing.
#pragma once

#include "store/conversations.hpp"
#include "store/text_index.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace engram::store {

/// Both are empty without an index.
struct analysed_text {
    std::string entry;        ///< for the search
    std::string fingerprint;  ///< to compare a memory with others
};

struct analysed_exchange {
    std::vector<std::string> entries;     ///< one for each most_turns_a_record turns
    std::vector<analysed_text> memories;  ///< one a note
};

// `texts` may be null.
[[nodiscard]] analysed_text analyse_memory(text_index const* texts, std::string_view content);
/// A summary is not compared with others.
[[nodiscard]] analysed_text analyse_summary(text_index const* texts, std::string_view content);
[[nodiscard]] analysed_exchange analyse_exchange(text_index const* texts, exchange const& what);

}  // namespace engram::store
