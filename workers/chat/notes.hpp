// Which of the model's notes are kept. Pure.
//
// A note is left out if it is an echo: it is new, the message does not speak of it, and an earlier answer
// that was recalled for the message says it, but nothing that the prompt has of what the user said. No word
// of it may then come from the message: one name or number of the message makes a long sentence another fact.
// (What repeats a memory is known to the store.)
//
// A note counts as told if the message speaks of it. It has the limits of its category; what takes the place
// of a memory has those of that memory's category.
#pragma once

#include "recall/shared_words.hpp"
#include "store/conversations.hpp"
#include "workers/categories.hpp"
#include "workers/chat/memory_tags.hpp"
#include "workers/chat/note_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::workers {

/// REQUIRES: the prompt shows all of `context` (keep_shown()).
[[nodiscard]] std::vector<shown_memory> find_shown(store::context const& context);

struct kept_notes {
    std::vector<store::new_memory> notes;  ///< in the order in which the model wrote them
    std::size_t echoes = 0;                ///< left out
};

/// Judges the notes of one answer. The texts may be long, so they are read in parts, between which the caller
/// can let others run; each is read once at most, however many notes there are, and not at all without notes.
class note_review {
public:
    /// `tags`: after apply_limits() with the same `shown`. `message`: what the user said. `answered`: the
    /// earlier answers that were found for it. `said`: what the prompt held of what the user said before. All
    /// must outlive this.
    note_review(std::vector<memory_tag> tags, std::span<shown_memory const> shown, std::string_view message,
                std::string_view answered, std::string_view said);

    /// Reads on, for less than a millisecond. False: all that matters has been read.
    [[nodiscard]] bool read_on();

    /// REQUIRES: read_on() was false.
    [[nodiscard]] kept_notes finish(categories const& types) &&;

    /// Of all texts.
    [[nodiscard]] std::size_t bytes_read() const {
        return message_.bytes_read() + answered_.bytes_read() + said_.bytes_read();
    }

private:
    struct note {
        memory_tag tag;
        std::string category;  // whose limits it has
        std::vector<std::uint32_t> stems;
    };
    [[nodiscard]] bool is_told(note const& one) const;
    [[nodiscard]] bool may_be_echo(note const& one) const;
    [[nodiscard]] bool repeats_answer(note const& one) const;
    [[nodiscard]] bool is_echo(note const& one) const;

    std::vector<note> notes_;
    recall::shared_words message_;
    recall::shared_words answered_;
    recall::shared_words said_;
    bool has_answered_;
    bool message_read_ = false, answered_read_ = false;
};

}  // namespace engram::workers
