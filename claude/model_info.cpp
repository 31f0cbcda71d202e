#include "claude/model_info.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>

namespace engram::claude {
namespace {

namespace json = boost::json;
using namespace std::chrono;

constexpr std::size_t day_size = 10;   // 2027-01-22
constexpr std::size_t time_size = 19;  // 2027-01-22T00:00:00

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The number in `size` digits from `at` on; none if there are no such digits.
std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t size) {
    if (at + size > text.size()) return std::nullopt;
    auto const digits = text.substr(at, size);
    if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
    int value = 0;
    for (char const c : digits)
        value = value * 10 + (c - '0');
    return value;
}

std::optional<sys_days> read_day(std::string_view text) {
    auto const yyyy = number_at(text, 0, 4), mm = number_at(text, 5, 2), dd = number_at(text, 8, 2);
    if (!yyyy || !mm || !dd || text[4] != '-' || text[7] != '-') return std::nullopt;
    year_month_day const date{year(*yyyy), month(unsigned(*mm)), day(unsigned(*dd))};
    return date.ok() ? std::optional(sys_days(date)) : std::nullopt;
}

// From the T on.
std::optional<seconds> read_time_of_day(std::string_view text) {
    auto const hh = number_at(text, 1, 2), mm = number_at(text, 4, 2), ss = number_at(text, 7, 2);
    if (!hh || !mm || !ss || text[3] != ':' || text[6] != ':') return std::nullopt;
    if (*hh > 23 || *mm > 59 || *ss > 60) return std::nullopt;
    return hours(*hh) + minutes(*mm) + seconds(*ss);
}

// What stands behind the seconds: a fraction, which is passed over, and how far the clock is ahead of UTC.
std::optional<minutes> read_offset(std::string_view text) {
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        text.remove_prefix(std::size_t(std::ranges::find_if_not(text, is_digit) - text.begin()));
    }
    if (text.empty() || text == "Z" || text == "z") return minutes(0);
    auto const hh = number_at(text, 1, 2), mm = number_at(text, 4, 2);
    bool const is_offset = text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':';
    if (!is_offset || !hh || !mm || *hh > 23 || *mm > 59) return std::nullopt;
    auto const ahead = hours(*hh) + minutes(*mm);
    return text[0] == '-' ? -ahead : ahead;
}

json::string const* text_at(json::object const& object, std::string_view key) {
    auto const* value = object.if_contains(key);
    return value ? value->if_string() : nullptr;
}

std::int64_t count_at(json::object const& object, std::string_view key) {
    auto const* value = object.if_contains(key);
    return value && value->is_int64() ? std::max<std::int64_t>(value->get_int64(), 0) : 0;
}

}  // namespace

std::string model_path(std::string_view id) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string path = "/v1/models/";
    for (char const c : id) {
        auto const byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
            path += c;
        } else {
            path += '%';
            path += hex[byte >> 4];
            path += hex[byte & 15];
        }
    }
    return path;
}

std::optional<model_info> parse_model(std::string_view body) {
    json::error_code ec;
    auto const document = json::parse(body, ec);
    auto const* model = ec ? nullptr : document.if_object();
    auto const* id = model ? text_at(*model, "id") : nullptr;
    if (!id || id->empty()) return std::nullopt;
    model_info found;
    found.id = std::string(id->data(), id->size());
    if (auto const* end = text_at(*model, "retires_at"))
        found.retires_at = parse_api_time({end->data(), end->size()});
    found.max_input_tokens = count_at(*model, "max_input_tokens");
    return found;
}

std::optional<base::wall_time> parse_api_time(std::string_view text) {
    auto const day = read_day(text);
    if (!day || text.size() == day_size) return day;
    bool const has_time = text[day_size] == 'T' || text[day_size] == 't' || text[day_size] == ' ';
    auto const time = has_time ? read_time_of_day(text.substr(day_size)) : std::nullopt;
    auto const ahead = time ? read_offset(text.substr(time_size)) : std::nullopt;
    if (!ahead) return std::nullopt;
    return *day + *time - *ahead;
}

}  // namespace engram::claude
