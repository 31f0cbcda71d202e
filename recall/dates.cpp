#include "recall/dates.hpp"

#include "recall/word_lists.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>

namespace engram::recall {
namespace {

using std::string_view;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::size_t most_dates = 8;  // a query's

/// A word of the query, and whether only blanks and commas part it from the one before.
struct piece {
    std::string text;
    bool follows = false;
};

std::vector<piece> pieces_of(string_view query) {
    constexpr std::size_t most = 4'000;
    std::vector<piece> all;
    bool in_word = false, only_blanks = true;
    for (char c : query) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        bool const in = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
        if (in) {
            if (!in_word) {
                if (all.size() == most) return all;
                all.push_back({"", only_blanks && !all.empty()});
            }
            all.back().text += c;
            only_blanks = true;
        } else {
            only_blanks = only_blanks && string_view(" ,\t\r\n").find(c) != string_view::npos;
        }
        in_word = in;
    }
    return all;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "7", "07", "7th"; 0 if it is no day.
int day_of(string_view word) {
    std::size_t digits = 0;
    while (digits < word.size() && is_digit(word[digits]))
        ++digits;
    auto const tail = word.substr(digits);
    if (digits < 1 || digits > 2) return 0;
    if (!tail.empty() && tail != "st" && tail != "nd" && tail != "rd" && tail != "th") return 0;
    int const day = number_of(word.substr(0, digits));
    return day <= 31 ? day : 0;
}

/// 1900 to 2099, else 0.
int year_of(string_view word) {
    if (word.size() != 4 || !std::all_of(word.begin(), word.end(), is_digit)) return 0;
    int const year = number_of(word);
    return year >= 1900 && year <= 2099 ? year : 0;
}

class date_finder {
public:
    date_finder(string_view query, std::uint32_t now) : pieces_(pieces_of(query)), now_(now) {
        today_ = sys_days(days(now / (24 * 60)));
    }

    std::vector<asked_date> find() {
        for (std::size_t i = 0; i < pieces_.size(); ++i)
            find_month(i);
        for (std::size_t i = 0; found_.empty() && i < pieces_.size(); ++i) {
            if (int const year = year_of(text(i))) years_.push_back({.year = year});
        }
        found_.insert(found_.end(), years_.begin(), years_.end());
        for (std::size_t i = 0; now_ != 0 && i < pieces_.size(); ++i)
            find_relative(i);
        if (found_.size() > most_dates) found_.resize(most_dates);
        return found_;
    }

private:
    [[nodiscard]] string_view text(std::size_t i) const {
        return i < pieces_.size() ? string_view(pieces_[i].text) : string_view();
    }

    /// The word `ahead` places on, if nothing but blanks is between.
    [[nodiscard]] string_view after(std::size_t i, std::size_t ahead = 1) const {
        for (std::size_t k = i + 1; k <= i + ahead; ++k) {
            if (k >= pieces_.size() || !pieces_[k].follows) return {};
        }
        return text(i + ahead);
    }

    [[nodiscard]] string_view before(std::size_t i, std::size_t back = 1) const {
        return i < back ? string_view() : after(i - back, back).empty() ? string_view() : text(i - back);
    }

    void find_month(std::size_t i) {
        asked_date date{.month = month_number(text(i))};
        if (date.month == 0) return;
        date.day = day_of(before(i));
        if (date.day == 0 && before(i) == "of") date.day = day_of(before(i, 2));
        std::size_t at = i;
        if (int const day = day_of(after(at))) {
            if (date.day == 0) date.day = day;
            ++at;
        }
        date.year = year_of(after(at));
        // "may" is a verb more often than a month.
        constexpr std::array<string_view, 11> hints = {"in",    "of", "during", "since", "until", "before",
                                                       "after", "by", "last",   "this",  "next"};
        if (text(i) == "may" && date.day == 0 && date.year == 0 &&
            std::find(hints.begin(), hints.end(), before(i)) == hints.end()) {
            return;
        }
        found_.push_back(date);
    }

    void find_relative(std::size_t i) {
        auto const word = text(i), next = after(i);
        if (word == "today" || word == "tonight") add_day(today_);
        if (word == "yesterday" || (word == "last" && next == "night")) add_day(today_ - days(1));
        if (word == "last" || word == "this") find_period(word == "last", next);
        bool const ago = after(i, 2) == "ago";
        if (int const number = number_of(word); number >= 0 && ago) find_ago(number, next);
    }

    void find_period(bool last, string_view unit) {
        auto const now = year_month_day(today_);
        auto const monday = today_ - (std::chrono::weekday(today_) - std::chrono::Monday);
        if (unit == "week") {
            add_span(last ? monday - days(7) : monday, last ? monday - days(1) : monday + days(6));
        } else if (unit == "month") {
            add_month(last ? 1 : 0);
        } else if (unit == "year") {
            found_.push_back({.year = static_cast<int>(now.year()) - (last ? 1 : 0)});
        } else if (int const weekday = weekday_number(unit); weekday != 0 && last) {
            auto const day = monday + days(weekday - 1);
            add_day(day < today_ ? day : day - days(7));
        }
    }

    void find_ago(int number, string_view unit) {
        if (unit == "day" || unit == "days") add_day(today_ - days(number));
        if (unit == "week" || unit == "weeks") {
            auto const day = today_ - days(7 * number);
            add_span(day - days(3), day + days(3));
        }
        if (unit == "month" || unit == "months") add_month(number);
        if (unit == "year" || unit == "years") {
            found_.push_back({.year = std::max(1, static_cast<int>(year_month_day(today_).year()) - number)});
        }
    }

    void add_day(sys_days day) {
        year_month_day const date(day);
        found_.push_back({.year = static_cast<int>(date.year()),
                          .month = static_cast<int>(static_cast<unsigned>(date.month())),
                          .day = static_cast<int>(static_cast<unsigned>(date.day()))});
    }

    void add_span(sys_days first, sys_days last) {
        found_.push_back(
            {.first = first.time_since_epoch().count(), .last = last.time_since_epoch().count()});
    }

    void add_month(int back) {
        auto const now = year_month_day(today_);
        auto const month = now.year() / now.month() - std::chrono::months(back);
        found_.push_back({.year = std::max(1, static_cast<int>(month.year())),
                          .month = static_cast<int>(static_cast<unsigned>(month.month()))});
    }

    std::vector<piece> pieces_;
    std::uint32_t now_;
    sys_days today_;
    std::vector<asked_date> found_, years_;
};

sys_days day_at(int year, int month, int day) {
    return std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) /
           std::chrono::day(static_cast<unsigned>(day));
}

double fit_day(asked_date const& asked, sys_days told) {
    auto const date =
        year_month_day(std::chrono::year(asked.year), std::chrono::month(static_cast<unsigned>(asked.month)),
                       std::chrono::day(static_cast<unsigned>(asked.day)));
    if (!date.ok()) return 0;
    auto const late = (told - sys_days(date)).count();
    return late >= 0 && late <= 1 ? 1 : late >= -1 && late <= 14 ? .5 : 0;
}

double fit_day_of_any_year(asked_date const& asked, sys_days told) {
    int const year = static_cast<int>(year_month_day(told).year());
    auto nearest = days::max().count();
    for (int const y : {year - 1, year, year + 1}) {
        nearest =
            std::min(nearest, std::abs((told - day_at(y, asked.month, std::min(asked.day, 28))).count()));
    }
    return nearest <= 1 ? 1 : nearest <= 14 ? .5 : 0;
}

double fit_span(asked_date const& asked, std::int64_t told) {
    return told >= asked.first && told <= asked.last + 1       ? 1
           : told >= asked.first - 1 && told <= asked.last + 7 ? .5
                                                               : 0;
}

double fit(asked_date const& asked, sys_days told) {
    if (asked.is_span()) return fit_span(asked, told.time_since_epoch().count());
    year_month_day const date(told);
    int const year = static_cast<int>(date.year());
    if (asked.month == 0) return year == asked.year ? 1 : 0;
    if (asked.year != 0 && asked.day != 0) return fit_day(asked, told);
    if (asked.year != 0 && year != asked.year && !(asked.month == 12 && year == asked.year + 1)) return 0;
    if (asked.day != 0) return fit_day_of_any_year(asked, told);
    int const month = static_cast<int>(static_cast<unsigned>(date.month()));
    if (month == asked.month) return 1;
    return month == asked.month % 12 + 1 && static_cast<unsigned>(date.day()) <= 15 ? .5 : 0;
}

}  // namespace

std::vector<asked_date> asked_dates(string_view query, std::uint32_t now_minutes) {
    return date_finder(query, now_minutes).find();
}

double closeness(std::span<asked_date const> dates, std::uint32_t minutes) {
    if (minutes == 0) return 0;
    sys_days const told(days(minutes / (24 * 60)));
    double best = 0;
    for (auto const& date : dates)
        best = std::max(best, fit(date, told));
    return best;
}

}  // namespace engram::recall
