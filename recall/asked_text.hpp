// A message, read as what it asks: which of its words say something, and which of them are the question.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::recall {

/// In a long message, a mail that was pasted and a question about something else, the question counts in its
/// own right: its sentences are those that end with a question mark, if there are any in the first or the
/// last paragraph rather these; else a short first and last paragraph count, too. Lines that begin with ">"
/// are never of it.
struct asked_text {
    struct word {
        std::string text;    ///< folded
        std::uint32_t stem;  ///< its hash
        bool content;        ///< false: a word that is about nothing, or a part of small talk
        bool aside;          ///< in a long message, what is not the question
    };

    /// Any bytes are fine. Only the first 2,000 words are read.
    explicit asked_text(std::string_view text);

    std::vector<word> words;
    std::string question;         ///< the text without what is aside
    bool asks_when = false;       ///< after a time
    bool asks_assistant = false;  ///< after what the assistant said
};

}  // namespace engram::recall
