#include "queue/trouble_note.hpp"

#include "base/log.hpp"
#include "queue/refusal.hpp"

namespace engram::queue {

void trouble_note::note(redis::error const& error, std::string_view doing) {
    if (muted_) return;
    auto const code = [](std::string const& text) { return text.substr(0, text.find(' ')); };
    if (!told_ || code(text_) != code(error.message)) tell(error.message, doing);
    text_ = error.message;
    told_ = true;
}

void trouble_note::tell(std::string const& error, std::string_view doing) const {
    auto const what = std::string(whose_) + " has trouble with Redis";
    if (auto const* const meaning = meaning_of(error))
        base::log_warn(what, {{"while", doing}, {"error", error}, {"cure", meaning->cure}});
    else
        base::log_warn(what, {{"while", doing}, {"error", error}});
}

void trouble_note::clear() {
    if (told_)
        base::log_info("the trouble of " + std::string(whose_) + " with Redis is over", {{"was", text_}});
    text_.clear();
    told_ = false;
}

}  // namespace engram::queue
