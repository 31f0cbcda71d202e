// The `[MEMORY: type|content]` notes that the model writes inside its answer. Pure; grammar in
// docs/memory-tags.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

class given_notes;

struct memory_tag {
    enum class kind { add, update, forget };

    std::string type;     ///< of `add`: lower case; one of the known types ("fact" for any other)
    std::string content;  ///< one line, trimmed, not empty; of `forget`: empty
    memory_tag::kind what = kind::add;
    std::int64_t label = 0;  ///< of `update` and `forget`: the number of the memory, > 0
};

struct extraction {
    std::string reply;             ///< the text without notes, tidied where one was removed
    std::vector<memory_tag> tags;  ///< in order of appearance
    std::size_t malformed = 0;     ///< stripped, but no note: no `|`, no content, no number to forget, no end
    std::size_t retyped = 0;       ///< unknown type, or "summary", kept as "fact"
};

/// Linear in the size of `text`. `text` must be UTF-8. `known_types` are lower case. `cut`: the model was
/// stopped before it was done, so a note that is open at the end is unfinished. `given`: what the text's
/// author was given that looks like a note, read to its end; null: nothing. Without it at least as much is
/// taken out as with it.
[[nodiscard]] extraction extract_memory_tags(std::string_view text,
                                             std::vector<std::string> const& known_types, bool cut = false,
                                             given_notes const* given = nullptr);

}  // namespace engram::workers
