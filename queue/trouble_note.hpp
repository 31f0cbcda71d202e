// Why one kind of call to Redis fails.
#pragma once

#include "redis/value.hpp"

#include <string>
#include <string_view>

namespace engram::queue {

/// The present trouble of one part of the queue, for its status. It is logged when it begins, when its kind
/// changes, and when it is over.
class trouble_note {
public:
    /// `whose`: what the log calls it; must live as long.
    explicit trouble_note(std::string_view whose, std::string first = {})
        : whose_(whose), text_(std::move(first)) {}

    void note(redis::error const& error, std::string_view doing);
    /// Without a word in the log: nothing is broken.
    void set(std::string text) { text_ = std::move(text); }
    void clear();
    /// At the end, when failures are to be expected: nothing is noted any more.
    void mute() { muted_ = true; }

    [[nodiscard]] std::string const& text() const { return text_; }
    /// Empty too if the text was only set().
    [[nodiscard]] std::string broken() const { return told_ ? text_ : std::string(); }
    [[nodiscard]] bool empty() const { return text_.empty(); }

private:
    void tell(std::string const& error, std::string_view doing) const;

    std::string_view whose_;
    std::string text_;
    bool told_ = false;
    bool muted_ = false;
};

}  // namespace engram::queue
