// The `[MEMORY: type|content]` tags that the model writes inside its answer. Pure; grammar in
// docs/memory-tags.md.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

struct memory_tag {
    std::string type;     ///< lower case; one of the known types ("fact" for any other)
    std::string content;  ///< one line, trimmed, not empty
};

struct extraction {
    std::string reply;             ///< the text without tags, tidied where one was removed
    std::vector<memory_tag> tags;  ///< in order of appearance
    std::size_t malformed = 0;     ///< stripped, but no memory: no `|`, no content, no end
    std::size_t retyped = 0;       ///< unknown type, kept as "fact"
};

/// Linear in the size of `text`. `text` must be UTF-8. `known_types` are lower case.
[[nodiscard]] extraction extract_memory_tags(std::string_view text,
                                             std::vector<std::string> const& known_types);

}  // namespace engram::workers
