// What the model was given that looks like a note: in the message, and in what was recalled for it. A note
// that corresponds to it is quoted, or obeys a text that is not the user's word, and must not count. Rules in
// docs/memory-tags.md.
#pragma once

#include "recall/words.hpp"
#include "store/conversations.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace engram::workers {

class given_notes {
public:
    /// Null if nothing in the prompt looks like a note, which is nearly always so; then it costs one look for
    /// brackets. REQUIRES: the prompt shows all of `context` (keep_shown()). What the model itself noted in
    /// earlier answers is not given.
    [[nodiscard]] static std::unique_ptr<given_notes> find(store::context const& context,
                                                           std::string_view message);

    given_notes() = default;
    given_notes(given_notes const&) = delete;
    given_notes& operator=(given_notes const&) = delete;

    /// Reads on in what has to be read before has_like() can tell, for less than a millisecond. False: all of
    /// it has been read.
    [[nodiscard]] bool read_on();

    [[nodiscard]] bool only_at_the_end() const { return only_at_the_end_; }
    /// Whether the note with this body corresponds to a given one, translated or not. REQUIRES: read_on() was
    /// false.
    [[nodiscard]] bool has_like(std::string_view body, bool closed) const;

private:
    using word_set = std::unordered_set<std::size_t>;  // hashes

    enum class source : std::uint8_t {
        of_this_turn,    // the message, and what was recalled for it
        message_before,  // may still come back translated
        background,      // what merely stands in the prompt
    };
    void add(std::string_view text, source from);
    void add_content(std::string_view content);
    void add_labels(std::string_view head);
    [[nodiscard]] bool has_label_of(std::string_view head) const;
    [[nodiscard]] bool says_what_was_given(std::string_view content) const;
    bool read_words(std::string const& text, word_set& into);

    bool only_at_the_end_ = false;  // there is one that the grammar would accept
    bool has_bare_ = false;         // there is one without a bar, or without an end
    bool has_open_wish_ = false;    // … that may ask to forget anything
    bool may_be_translated_ = false;
    std::unordered_set<std::int64_t> labels_;
    std::string contents_;     // of the given notes
    word_set whole_contents_;  // each as a whole
    std::string own_;          // the message without them
    word_set content_words_, own_words_;
    std::optional<recall::word_reader> reading_;
    bool contents_read_ = false;
};

}  // namespace engram::workers
