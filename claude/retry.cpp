#include "claude/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace engram::claude {
namespace {

using namespace std::chrono;

std::string_view trim(std::string_view text) {
    auto const begin = text.find_first_not_of(" \t");
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<double> read_number(std::string_view text) {
    double value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::optional<milliseconds> within_reason(double ms) {
    if (!(ms > 0) || ms > double(longest_server_delay.count())) return std::nullopt;
    return milliseconds(std::int64_t(std::ceil(ms)));
}

std::optional<int> read_digits(std::string_view text) {
    int value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text[0] == '-') return std::nullopt;
    return value;
}

}  // namespace

bool is_retryable(int status, std::string_view x_should_retry) {
    if (x_should_retry == "true") return true;
    if (x_should_retry == "false") return false;
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

std::optional<milliseconds> server_delay(std::string_view retry_after_ms, std::string_view retry_after,
                                         base::wall_time now) {
    if (auto const ms = read_number(trim(retry_after_ms))) return within_reason(*ms);
    auto const after = trim(retry_after);
    if (auto const seconds = read_number(after)) return within_reason(*seconds * 1000);
    auto const date = parse_http_date(after);
    if (!date) return std::nullopt;
    return within_reason(duration<double, std::milli>(*date - now).count());
}

std::optional<base::wall_time> parse_http_date(std::string_view text) {
    static constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT") || text[7] != ' ' ||
        text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
        return std::nullopt;
    auto const name = std::find(std::begin(months), std::end(months), text.substr(8, 3));
    if (name == std::end(months)) return std::nullopt;
    auto const dd = read_digits(text.substr(5, 2));
    auto const yyyy = read_digits(text.substr(12, 4));
    auto const hh = read_digits(text.substr(17, 2));
    auto const mm = read_digits(text.substr(20, 2));
    auto const ss = read_digits(text.substr(23, 2));
    if (!dd || !yyyy || !hh || !mm || !ss || *hh > 23 || *mm > 59 || *ss > 60) return std::nullopt;
    year_month_day const date{year(*yyyy), month(unsigned(name - std::begin(months)) + 1),
                              day(unsigned(*dd))};
    if (!date.ok()) return std::nullopt;
    return sys_days(date) + hours(*hh) + minutes(*mm) + seconds(*ss);
}

}  // namespace engram::claude
