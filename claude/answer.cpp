#include "claude/answer.hpp"

#include "base/utf8.hpp"
#include "claude/prices.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace engram::claude {
namespace {

namespace json = boost::json;

std::string text_of(json::string const& s) {
    std::string_view const view(s.data(), s.size());
    return base::is_utf8(view) ? std::string(view) : base::to_utf8(view);
}

std::string string_at(json::object const& object, std::string_view key) {
    auto const* value = object.if_contains(key);
    return value && value->is_string() ? text_of(value->get_string()) : std::string();
}

std::int64_t count_at(json::object const& object, std::string_view key) {
    constexpr std::int64_t most = 1'000'000'000'000;  // a sum of such counts stays far from overflow
    auto const* value = object.if_contains(key);
    if (!value) return 0;
    if (value->is_int64()) return std::clamp<std::int64_t>(value->get_int64(), 0, most);
    if (value->is_uint64()) return most;  // Boost.JSON: only what exceeds int64
    if (value->is_double()) return std::int64_t(std::clamp(value->get_double(), 0.0, double(most)));
    return 0;
}

usage usage_of(json::object const& message) {
    usage used;
    auto const* value = message.if_contains("usage");
    if (!value || !value->is_object()) return used;
    auto const& object = value->get_object();
    used.input_tokens = count_at(object, "input_tokens");
    used.output_tokens = count_at(object, "output_tokens");
    used.cache_read_input_tokens = count_at(object, "cache_read_input_tokens");
    used.cache_creation_input_tokens = count_at(object, "cache_creation_input_tokens");
    return used;
}

struct content_text {
    std::string text;
    bool has_output = false;
};

base::result<content_text, unreadable> join_text(json::array const& content) {
    content_text all;
    for (auto const& block : content) {
        if (!block.is_object()) return unreadable{"has a content block that is not an object"};
        auto const* type = block.get_object().if_contains("type");
        if (!type || !type->is_string()) return unreadable{"has a content block without a type"};
        if (type->get_string() != "text") {
            all.has_output = true;
            continue;
        }
        auto const* text = block.get_object().if_contains("text");
        if (!text || !text->is_string()) return unreadable{"has a text block without text"};
        all.text += text_of(text->get_string());
    }
    all.has_output = all.has_output || !all.text.empty();
    return all;
}

base::result<parsed_answer, unreadable> read_message(json::value const& document,
                                                     std::string_view asked_model,
                                                     std::vector<price> const& own_prices) {
    auto const* message = document.if_object();
    if (!message) return unreadable{"is JSON but not an object"};
    auto const* content = message->if_contains("content");
    if (!content || !content->is_array()) return unreadable{"is JSON but not a message: it has no content"};
    auto joined = join_text(content->get_array());
    if (joined.has_error()) return joined.error();

    parsed_answer parsed;
    auto& answer = parsed.answer;
    answer.text = std::move(joined->text);
    answer.model = string_at(*message, "model");
    if (answer.model.empty()) answer.model = asked_model;
    answer.stop_reason = string_at(*message, "stop_reason");
    answer.usage = usage_of(*message);
    answer.cost_usd = cost_of(answer.model, answer.usage, own_prices);
    // A refusal before any output is not billed, though its usage shows tokens.
    if (answer.cost_usd && answer.stop_reason == "refusal" && !joined->has_output) answer.cost_usd = 0;
    if (answer.stop_reason == "pause_turn" && joined->has_output)
        parsed.pause_content = json::serialize(*content);
    return parsed;
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

base::result<parsed_answer, unreadable> parse_answer(std::string_view body, std::string_view asked_model,
                                                     std::vector<price> const& own_prices) {
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
    return read_message(document, asked_model, own_prices);
}

}  // namespace engram::claude
