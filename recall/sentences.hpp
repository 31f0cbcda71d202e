// A text as sentences, in any script.
#pragma once

#include <string_view>
#include <vector>

namespace engram::recall {

/// The text in pieces that follow each other without a gap; each has the blanks behind it. A line end always
/// ends a sentence, so that an item of a list is one. Full stops end none inside of numbers, addresses and
/// the like, nor behind initials and what is known to be an abbreviation; when in doubt it goes on. A memory
/// tag is a piece of its own. Thai, Lao and Khmer have blanks between sentences and none between words: there
/// a blank ends one.
///
/// For cutting sentences out, where half of one would leave the other half. For reading a question there is
/// another one (asked_text.cpp), which would rather have a piece too many.
[[nodiscard]] std::vector<std::string_view> sentences_of(std::string_view text);

}  // namespace engram::recall
