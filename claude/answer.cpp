#include "claude/answer.hpp"

#include "base/utf8.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace engram::claude {
namespace {

namespace json = boost::json;

using std::string_view;

/// The text of a value, repaired where it is not UTF-8.
class valid_text {
public:
    explicit valid_text(json::string const& text) : view_(text.data(), text.size()) {
        if (base::is_utf8(view_)) return;
        repaired_ = base::to_utf8(view_);
        view_ = repaired_;
    }
    /// The text of a member; "" where it is absent or no text.
    valid_text(json::object const& object, string_view key) : valid_text(string_at(object, key)) {}
    valid_text(valid_text const&) = delete;
    valid_text& operator=(valid_text const&) = delete;

    [[nodiscard]] string_view view() const { return view_; }

private:
    static json::string const& string_at(json::object const& object, string_view key) {
        static json::string const none;
        auto const* value = object.if_contains(key);
        return value && value->is_string() ? value->get_string() : none;
    }

    std::string repaired_;
    string_view view_;
};

std::optional<std::int64_t> count_at(json::object const& object, string_view key) {
    constexpr std::int64_t most = 1'000'000'000'000;  // a sum of such counts stays far from overflow
    auto const* value = object.if_contains(key);
    if (!value) return std::nullopt;
    if (value->is_int64()) return std::clamp<std::int64_t>(value->get_int64(), 0, most);
    if (value->is_uint64()) return most;  // Boost.JSON: only what exceeds int64
    if (value->is_double()) return std::int64_t(std::clamp(value->get_double(), 0.0, double(most)));
    return std::nullopt;
}

token_counts usage_of(json::object const& message) {
    auto const* value = message.if_contains("usage");
    if (!value || !value->is_object()) return {};
    auto const& object = value->get_object();
    return {count_at(object, "input_tokens"), count_at(object, "output_tokens"),
            count_at(object, "cache_read_input_tokens"), count_at(object, "cache_creation_input_tokens")};
}

std::optional<unreadable> read_block(json::value const& value, answer_fold& into) {
    auto const* block = value.if_object();
    if (!block) return unreadable{"has a content block that is not an object"};
    auto const* type = block->if_contains("type");
    if (!type || !type->is_string()) return unreadable{"has a content block without a type"};
    bool const is_text = type->get_string() == "text";
    into.add(block_start{is_text});
    if (is_text) {
        auto const* text = block->if_contains("text");
        if (!text || !text->is_string()) return unreadable{"has a text block without text"};
        into.add(text_delta{valid_text(text->get_string()).view()});
    }
    into.add(block_stop{});
    return std::nullopt;
}

base::result<received_message, unreadable> read_message(json::value const& document, answer_fold& into) {
    auto const* message = document.if_object();
    if (!message) return unreadable{"is JSON but not an object"};
    auto const* content = message->if_contains("content");
    if (!content || !content->is_array()) return unreadable{"is JSON but not a message: it has no content"};

    into.add(message_start{valid_text(*message, "model").view(), usage_of(*message)});
    for (auto const& block : content->get_array())
        if (auto problem = read_block(block, into)) return std::move(*problem);
    valid_text const stop_reason(*message, "stop_reason");
    into.add(message_delta{stop_reason.view(), {}});
    into.add(message_stop{});
    if (auto problem = into.problem()) return std::move(*problem);
    // Without content there is nothing to go on from.
    bool const paused = stop_reason.view() == "pause_turn" && into.has_output();
    return received_message{paused ? json::serialize(*content) : std::string()};
}

// The value of "\\uXXXX" at `at`, -1 if there is no such escape.
int escape_at(std::string_view text, std::size_t at) {
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
    int value = 0;
    auto const* const end = text.data() + at + 6;
    auto const [read, error] = std::from_chars(text.data() + at + 2, end, value, 16);
    return error == std::errc() && read == end && text[at + 2] != '-' ? value : -1;
}

// Half a surrogate pair is legal JSON, and models do emit it; Boost.JSON refuses it. Makes U+FFFD of it.
std::string repair_surrogates(std::string_view body) {
    std::string out;
    out.reserve(body.size());
    for (std::size_t i = 0; i < body.size();) {
        if (body[i] != '\\') {
            out += body[i++];
            continue;
        }
        int const value = escape_at(body, i);
        int const next = value < 0 ? -1 : escape_at(body, i + 6);
        bool const high = value >= 0xD800 && value < 0xDC00;
        bool const pair = high && next >= 0xDC00 && next < 0xE000;
        std::size_t const size = std::min<std::size_t>(pair ? 12 : value < 0 ? 2 : 6, body.size() - i);
        bool const lone = !pair && value >= 0xD800 && value < 0xE000;
        out += lone ? "\\ufffd" : body.substr(i, size);
        i += size;
    }
    return out;
}

}  // namespace

base::result<received_message, unreadable> read_answer(std::string_view body, answer_fold& into) {
    unsigned char first_block[4096];
    json::monotonic_resource memory(first_block, sizeof first_block);
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // repaired where it is used
    options.max_depth = 128;
    json::error_code ec;
    auto document = json::parse(body, ec, &memory, options);
    if (ec && body.find("\\u") != body.npos) {
        json::error_code again;
        document = json::parse(repair_surrogates(body), again, &memory, options);
        ec = again;
    }
    if (ec) return unreadable{body.empty() ? "is empty" : "is not JSON or is cut (" + ec.message() + ")"};
    return read_message(document, into);
}

}  // namespace engram::claude
