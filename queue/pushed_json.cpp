#include "queue/pushed_json.hpp"

#include "base/utf8.hpp"
#include "queue/loose_members.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace engram::queue {

namespace json = boost::json;

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view escaped_replacement = "\\ufffd";
constexpr std::array<std::string_view, 5> kept_as_they_are{"user_id", "session_id", "id", "reply_to", "op"};

// The code unit of an escape \uXXXX in front.
std::optional<unsigned> code_unit(std::string_view text) {
    if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
    unsigned unit = 0;
    auto const* const end = text.data() + 6;
    auto const read = std::from_chars(text.data() + 2, end, unit, 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return unit;
}

bool is_high(unsigned unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}

bool is_low(unsigned unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

// `text` begins with a backslash. How long the escape is, and whether it is half a surrogate pair.
std::pair<std::size_t, bool> measure_escape(std::string_view text) {
    auto const unit = code_unit(text);
    if (!unit) return {std::min<std::size_t>(2, text.size()), false};
    if (is_low(*unit)) return {6, true};
    if (!is_high(*unit)) return {6, false};
    auto const next = code_unit(text.substr(6));
    if (next && is_low(*next)) return {12, false};
    return {6, true};
}

void append_mended(std::string& out, std::string_view text) {
    while (!text.empty()) {
        auto length = std::min(text.find('\\'), text.size());
        if (length > 0) {
            out += base::to_utf8(text.substr(0, length));
        } else {
            auto const [escape, is_half] = measure_escape(text);
            length = escape;
            out += is_half ? escaped_replacement : text.substr(0, length);
        }
        text.remove_prefix(length);
    }
}

// Copies a text that should be a JSON object, with its strings mended.
class mender {
public:
    explicit mender(std::string_view text) : text_(text) { out_.reserve(text.size()); }

    std::string mend() && {
        while (!text_.empty()) {
            if (text_[0] == '"')
                take_string();
            else
                take_other();
        }
        return std::move(out_);
    }

private:
    void take_string() {
        std::size_t end = 1;
        while (end < text_.size() && text_[end] != '"')
            end += text_[end] == '\\' ? 2 : 1;
        auto const piece = text_.substr(0, end + 1);
        text_.remove_prefix(piece.size());
        bool const is_member = depth_ == 1;
        if (is_member && is_value_ && keeps_value_)
            out_ += piece;
        else
            append_mended(out_, piece);
        if (is_member && !is_value_) keeps_value_ = keeps_value_of(piece);
    }

    void take_other() {
        char const c = text_[0];
        out_ += c;
        text_.remove_prefix(1);
        if (c == '{' || c == '[') ++depth_;
        if (c == '}' || c == ']') --depth_;
        if (depth_ == 1 && c == ':') is_value_ = true;
        if (depth_ == 1 && c == ',') is_value_ = false;
    }

    static bool keeps_value_of(std::string_view quoted_name) {
        return std::any_of(kept_as_they_are.begin(), kept_as_they_are.end(),
                           [&](auto name) { return is_named(quoted_name, name); });
    }

    std::string_view text_;
    std::string out_;
    int depth_ = 0;
    bool is_value_ = false;     // at the top level: behind a colon
    bool keeps_value_ = false;  // of the member there
};

bool is_nothing(std::string_view piece) {
    return piece == std::string_view("\0", 1) || base::is_blank(piece);
}

// Blanks have up to three bytes.
std::size_t nothing_in_front(std::string_view text) {
    for (std::size_t n = 1; n <= std::min<std::size_t>(3, text.size()); ++n)
        if (is_nothing(text.substr(0, n))) return n;
    return 0;
}

std::size_t nothing_behind(std::string_view text) {
    for (std::size_t n = 1; n <= std::min<std::size_t>(3, text.size()); ++n)
        if (is_nothing(text.substr(text.size() - n))) return n;
    return 0;
}

// Takes the front away from `text`, and the end; returns how long the front was.
std::size_t trim(std::string_view& text) {
    auto const whole = text.size();
    while (auto const n = nothing_in_front(text))
        text.remove_prefix(n);
    auto const front = whole - text.size();
    while (auto const n = nothing_behind(text))
        text.remove_suffix(n);
    return front;
}

// The place in `bytes` of what stands at `at` in `mended`, which was made of them.
std::size_t place_of(std::size_t at, std::string_view mended, std::string_view bytes) {
    std::size_t from = trim(bytes), read = 0;
    for (std::size_t made = 0; made < at && read < bytes.size(); ++read) {
        bool const is_new = mended.substr(made, 3) == replacement && bytes.substr(read, 3) != replacement;
        made += is_new ? 3 : 1;
    }
    return from + read;
}

}  // namespace

std::string repaired(std::string_view bytes) {
    auto text = bytes;
    trim(text);
    auto mended = mender(text).mend();
    return mended == bytes ? std::string() : mended;
}

bool is_lost(std::string_view text) {
    while (!text.empty()) {
        auto const length = std::min(text.find(replacement), text.size());
        if (!base::is_blank(text.substr(0, length))) return false;
        text.remove_prefix(std::min(length + replacement.size(), text.size()));
    }
    return true;
}

pushed_json parse_pushed(std::string_view bytes) {
    pushed_json pushed;
    boost::system::error_code error;
    pushed.value = json::parse(bytes, error);
    if (!error) return pushed;
    pushed.mended = repaired(bytes);
    bool const is_mended = !pushed.mended.empty();
    json::parser parser({}, parse_options_of_pushed());
    auto const at = parser.write(is_mended ? std::string_view(pushed.mended) : bytes, error);
    if (error)
        pushed.problem = error.message() + " at byte " +
                         std::to_string(1 + (is_mended ? place_of(at, pushed.mended, bytes) : at));
    else
        pushed.value = parser.release();
    return pushed;
}

}  // namespace engram::queue
