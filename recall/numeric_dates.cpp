#include "recall/numeric_dates.hpp"

#include <array>

namespace engram::recall {
namespace {

using std::string_view;

class digit_reader {
public:
    explicit digit_reader(string_view text) : text_(text) {}

    /// A number of at most `most` digits; -1, and nothing is read: none.
    int number(std::size_t most) {
        int value = 0;
        std::size_t digits = 0, at = at_;
        for (; at < text_.size() && text_[at] >= '0' && text_[at] <= '9'; ++at, ++digits)
            value = digits < most ? value * 10 + (text_[at] - '0') : value;
        if (digits == 0 || digits > most) return -1;
        at_ = at;
        digits_ = digits;
        return value;
    }

    bool skip(string_view expected) {
        if (!text_.substr(at_).starts_with(expected)) return false;
        at_ += expected.size();
        return true;
    }

    /// "." or "/" or "-"; 0 if there is none of them.
    char separator() {
        char const c = at_ < text_.size() ? text_[at_] : '\0';
        if (c != '.' && c != '/' && c != '-') return '\0';
        ++at_;
        if (c == '.') skip(" ");  // "10. 1. 2024"
        return c;
    }

    /// Whether a word or a number goes on here.
    [[nodiscard]] bool goes_on() const {
        char const c = at_ < text_.size() ? text_[at_] : ' ';
        bool const digit_follows = at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9';
        if ((c == '.' || c == '/' || c == '-') && digit_follows) return true;
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z' && c != 't') ||
               (c >= 'A' && c <= 'Z' && c != 'T') || c == '%';
    }

    [[nodiscard]] std::size_t at() const { return at_; }
    [[nodiscard]] std::size_t digits() const { return digits_; }  ///< of the latest number

private:
    string_view text_;
    std::size_t at_ = 0;
    std::size_t digits_ = 0;
};

bool is_year(int number) {
    return number >= 1900 && number <= 2099;
}
bool is_month(int number) {
    return number >= 1 && number <= 12;
}
bool is_day(int number) {
    return number >= 1 && number <= 31;
}

/// "2024年1月10日", "1月10日", "2024년 1월 10일"
std::size_t east_asian(string_view text, std::vector<asked_date>& to) {
    struct signs {
        string_view year, month, day;
    };
    constexpr std::array<signs, 2> scripts = {{{"年", "月", "日"}, {"년", "월", "일"}}};
    for (auto const& sign : scripts) {
        digit_reader in(text);
        asked_date date;
        int number = in.number(4);
        if (is_year(number) && in.skip(sign.year)) {
            date.year = number;
            in.skip(" ");
            number = in.number(2);
        }
        auto end = in.at();
        if (is_month(number) && in.skip(sign.month)) {
            date.month = number;
            end = in.at();
            in.skip(" ");
            if (number = in.number(2);
                is_day(number) && (in.skip(sign.day) || in.skip("号") || in.skip("號"))) {
                date.day = number;
                end = in.at();
            }
        }
        // A bare year is found as any other.
        if (date.month == 0) continue;
        to.push_back(date);
        return end;
    }
    return 0;
}

/// "2023-12-31", "2023/12/31", "2023.12.31", "2023-12"
std::size_t year_first(string_view text, std::vector<asked_date>& to) {
    digit_reader in(text);
    asked_date date{.year = in.number(4)};
    auto const separator = is_year(date.year) ? in.separator() : '\0';
    if (separator == '\0') return 0;
    date.month = in.number(2);
    if (!is_month(date.month) || (in.digits() != 2 && separator == '.')) return 0;
    auto const end = in.at();
    if (in.separator() == separator) {
        date.day = in.number(2);
        if (!is_day(date.day) || in.goes_on()) return 0;
        to.push_back(date);
        return in.at();
    }
    if (separator == '.' || digit_reader(text.substr(end)).goes_on()) return 0;  // 2023.12 is a number
    to.push_back(date);
    return end;
}

void add_month_and_day(int first, int second, int year, char separator, std::vector<asked_date>& to) {
    bool const day_first = is_day(first) && is_month(second), month_first = is_month(first) && is_day(second);
    if (day_first) to.push_back({.year = year, .month = second, .day = first});
    // Only with slashes are both in use.
    bool const doubtful = day_first && (separator != '/' || first == second);
    if (month_first && !doubtful) to.push_back({.year = year, .month = first, .day = second});
}

/// "10.01.2024", "10.1.24", "10.01.", "12/31/2023", "31-12-2023"
std::size_t day_or_month_first(string_view text, std::vector<asked_date>& to) {
    digit_reader in(text);
    int const first = in.number(2);
    auto const separator = is_day(first) ? in.separator() : '\0';
    if (separator == '\0') return 0;
    int const second = in.number(2);
    if (!is_day(second)) return 0;
    bool const two_digits = in.digits() == 2;
    if (in.separator() != separator) return 0;
    auto const end = in.at();
    int year = in.number(4);
    auto const before = to.size();
    if (year < 0) {  // "am 10.01."; "3.5." is the number of a chapter
        if (separator != '.' || !two_digits || !is_month(second)) return 0;
        to.push_back({.month = second, .day = first});
        return end;
    }
    if (in.digits() == 2) year += 2000;
    if (!is_year(year) || in.goes_on()) return 0;
    add_month_and_day(first, second, year, separator, to);
    return to.size() > before ? in.at() : 0;
}

}  // namespace

std::size_t numeric_date_at(string_view text, std::vector<asked_date>& to) {
    if (auto const size = east_asian(text, to)) return size;
    if (auto const size = year_first(text, to)) return size;
    return day_or_month_first(text, to);
}

}  // namespace engram::recall
