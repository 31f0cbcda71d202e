#include "workers/chat/note_shell.hpp"

#include "workers/chat/note_marks.hpp"

namespace engram::workers {
namespace {

constexpr std::string_view opening_marks[] = {"(", "[", "<!--", "\xEF\xBC\x88"};  // （
constexpr std::string_view closing_marks[] = {")", "]", "-->", "\xEF\xBC\x89"};   // ）
constexpr std::string_view marks_between[] = {
    ",", ";", ".", "\xE3\x80\x81", "\xE3\x80\x82", "\xEF\xBC\x8C", "\xEF\xBC\x9B"};  // 、 。 ， ；

template <std::size_t Size>
std::size_t find(std::string_view const (&in)[Size], std::string_view rest) {
    for (auto const one : in)
        if (rest.starts_with(one)) return one.size();
    return 0;
}

}  // namespace

std::size_t shell_reader::read(std::string_view rest) {
    if (auto const c = look_at(rest); c.is == mark::blank) {
        behind_ = false;
        return c.bytes;
    }
    if (is_emphasis(rest[0]) || rest[0] == '`') return 1;
    if (auto const bytes = find(opening_marks, rest)) {
        ++open_;
        behind_ = false;
        return bytes;
    }
    if (auto const bytes = find(closing_marks, rest)) return close(rest[0]) ? bytes : 0;
    auto const bytes = find(marks_between, rest);
    return bytes > 0 && separate() ? bytes : 0;
}

void shell_reader::pass_note(bool finished) {
    any_ = behind_ = true;
    needs_note_ = false;
    unfinished_ = !finished;
}

// One bracket too many right behind a note is a slip of the model.
bool shell_reader::close(char c) {
    if (open_ > 0)
        --open_;
    else if (c != ']' || !behind_)
        return false;
    return behind_ = any_;
}

bool shell_reader::separate() {
    if (!any_ || needs_note_) return false;
    needs_note_ = !behind_;
    behind_ = false;
    return true;
}

}  // namespace engram::workers
