#include "queue/loose_members.hpp"

#include "base/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace engram::queue {

namespace json = boost::json;

namespace {

constexpr int most_members = 100'000;      // of one text
constexpr std::size_t longest_name = 256;  // as it is written, with escapes

bool is_filling(char c) {
    return c == ' ' || c == '\0' || (c >= '\t' && c <= '\r');
}

// Steps over the members of an object, given the text from its first brace on.
class loose_object {
public:
    struct member {
        std::string_view name, value;  // as they are written
    };

    explicit loose_object(std::string_view text) : text_(text) { text_.remove_prefix(text_.empty() ? 0 : 1); }

    // None: the object has ended, or cannot be followed any more.
    std::optional<member> next() {
        for (int steps = 0; steps < most_members; ++steps) {
            skip_filling(",:]");
            if (text_.empty() || text_[0] == '}') return std::nullopt;
            auto const name = take_value();
            skip_filling("");
            // Without a colon it is no name, but what quotes inside of a text have left, say.
            if (text_.empty() || text_[0] != ':') continue;
            text_.remove_prefix(1);
            skip_filling("");
            auto const value = take_value();
            if (was_cut_) return std::nullopt;
            return member{name, value};
        }
        return std::nullopt;
    }

private:
    std::string_view take(std::size_t length) {
        auto const piece = text_.substr(0, length);
        text_.remove_prefix(piece.size());
        return piece;
    }

    // Blanks, comments, and `others`.
    void skip_filling(std::string_view others) {
        while (!text_.empty()) {
            if (is_filling(text_[0]) || others.find(text_[0]) != others.npos)
                text_.remove_prefix(1);
            else if (text_[0] == '#' || text_.starts_with("//"))
                take(std::min(text_.find('\n'), text_.size()));
            else if (text_.starts_with("/*"))
                skip_behind("*/");
            else
                return;
        }
    }

    void skip_behind(std::string_view end) {
        auto const at = text_.find(end, 2);
        take(at == text_.npos ? at : at + end.size());
    }

    // A text, all of an object or array, or a word, which is empty before a comma or the end.
    std::string_view take_value() {
        if (text_.empty()) return {};
        if (text_[0] == '"' || text_[0] == '\'') return take(length_of_string(0));
        if (text_[0] == '{' || text_[0] == '[') return take(length_of_container());
        return take(std::min(text_.find_first_of(",:{}[]\"' \t\n\r"), text_.size()));
    }

    // With its quotes.
    std::size_t length_of_string(std::size_t from) {
        char const quote = text_[from];
        for (auto at = from + 1; at < text_.size(); ++at) {
            if (text_[at] == quote) return at + 1 - from;
            if (text_[at] == '\\') ++at;
        }
        was_cut_ = true;
        return text_.size() - from;
    }

    // A bracket that matches none is passed over; one that matches an outer one ends the inner ones as well.
    std::size_t length_of_container() {
        std::string open;
        std::size_t braces = 0;
        for (std::size_t at = 0; at < text_.size(); ++at) {
            char const c = text_[at];
            if (c == '"' || c == '\'') {
                at += length_of_string(at) - 1;
            } else if (c == '{' || c == '[') {
                open += c;
                braces += c == '{';
            } else if (c == '}' || c == ']') {
                char const opening = c == '}' ? '{' : '[';
                if ((c == '}' ? braces : open.size() - braces) == 0) continue;
                while (open.back() != opening)
                    close(open, braces);
                close(open, braces);
                if (open.empty()) return at + 1;
            }
        }
        was_cut_ = true;
        return text_.size();
    }

    static void close(std::string& open, std::size_t& braces) {
        braces -= open.back() == '{';
        open.pop_back();
    }

    std::string_view text_;
    bool was_cut_ = false;  // the last value goes on behind the end
};

// UTF-16 has a byte of zero in each character of ASCII.
bool is_utf16(std::string_view bytes) {
    return bytes.size() > 3 && (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF") ||
                                (bytes[0] == '\0') != (bytes[1] == '\0'));
}

// From the first brace of the object on.
std::string object_in(std::string_view bytes) {
    std::string text(bytes);
    if (is_utf16(bytes)) std::erase(text, '\0');
    while (!text.empty() && is_filling(text.back()))
        text.pop_back();
    auto const begin = std::find_if_not(text.begin(), text.end(), is_filling);
    text.erase(text.begin(), begin);
    if (text.starts_with('"'))  // a whole text, or else one whose beginning is lost
        if (auto inner = text_of_string(text))
            return inner->starts_with('{') ? std::move(*inner) : std::string();
    text.erase(0, std::min(text.find('{'), text.size()));
    return text;
}

std::optional<std::string> text_of_value(std::string_view piece) {
    if (piece.starts_with('"')) return text_of_string(piece);
    if (piece.size() < 2 || !piece.starts_with('\'') || !piece.ends_with('\'')) return std::nullopt;
    auto const inner = piece.substr(1, piece.size() - 2);
    bool const is_plain =
        base::is_utf8(inner) &&
        std::none_of(inner.begin(), inner.end(), [](unsigned char c) { return c < 0x20 || c == '\\'; });
    return is_plain ? std::optional<std::string>(inner) : std::nullopt;
}

}  // namespace

bool is_named(std::string_view written, std::string_view name) {
    if (written == name) return true;  // without quotes
    if (written.size() < 2 || written.size() > longest_name) return false;
    if (written.substr(1, written.size() - 2) == name) return written[0] == '"' || written[0] == '\'';
    return written.find('\\') != written.npos && text_of_string(written) == name;
}

std::optional<std::string> text_of_string(std::string_view quoted) {
    boost::system::error_code error;
    auto const value = json::parse(quoted, error);
    if (error || !value.is_string()) return std::nullopt;
    return std::string(value.get_string());
}

texts find_texts(std::string_view bytes, std::initializer_list<std::string_view> names) {
    texts found;
    auto const text = object_in(bytes);
    loose_object object(text);
    while (auto const member = object.next()) {
        for (auto const name : names) {
            if (!is_named(member->name, name)) continue;
            auto value = text_of_value(member->value);
            if (value)
                found.insert_or_assign(std::string(name), std::move(*value));
            else if (auto const earlier = found.find(name); earlier != found.end())
                found.erase(earlier);
        }
    }
    return found;
}

}  // namespace engram::queue
