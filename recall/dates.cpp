#include "recall/dates.hpp"

#include "base/western_digits.hpp"
#include "recall/date_words.hpp"
#include "recall/numeric_dates.hpp"
#include "recall/small_talk.hpp"
#include "recall/word_lists.hpp"
#include "recall/words.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <string>
#include <utf8proc.h>
#include <utility>

namespace engram::recall {
namespace {

using std::string_view;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::size_t most_dates = 8;  // of a query: a list of more asks for none of them

/// A number that stands for a year, a month or a day, or a word, and what is between it and the one before.
struct piece {
    enum class gap : std::uint8_t {
        close,   // nothing but blanks and commas
        linked,  // also full stops, hyphens, slashes, ordinal signs: "10. Januar", "31-Dec-2023"
        apart
    };
    std::string text;
    date_word means;
    int number = -1;  // of "7", "07", "7th"
    std::size_t digits = 0;
    gap before = gap::apart;
    bool apostrophe = false;  // stands right before it
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_ordinal_end(string_view tail) {
    constexpr string_view ends[] = {"",  "st",  "nd",  "rd", "th", "er", "re",
                                    "e", "eme", "ste", "de", "o",  "a"};
    return std::find(std::begin(ends), std::end(ends), tail) != std::end(ends);
}

void read_number(piece& one) {
    string_view const word = one.text;
    while (one.digits < word.size() && is_digit(word[one.digits]))
        ++one.digits;
    if (one.digits == 0 || one.digits > 4) return;
    bool const ordinal = one.digits <= 2 && is_ordinal_end(word.substr(one.digits));
    if (one.digits == word.size() || ordinal) one.number = number_of(word.substr(0, one.digits));
}

/// Digits of all scripts become those of ASCII.
std::string with_western_digits(string_view text) {
    std::string plain;
    plain.reserve(text.size());
    while (!text.empty()) {
        std::size_t bytes = 1;
        char digit = 0;
        if ((text.front() & 0x80) != 0) {
            utf8proc_int32_t code = 0;
            auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &code);
            if (size > 0) {
                bytes = static_cast<std::size_t>(size);
                digit = base::western_digit(static_cast<char32_t>(code));
            }
        }
        if (digit != 0)
            plain += digit;
        else
            plain.append(text.substr(0, bytes));
        text.remove_prefix(bytes);
    }
    return plain;
}

piece::gap gap_of(string_view between) {
    if (between.find_first_not_of(" ,\t\r\n") == string_view::npos) return piece::gap::close;
    // Ordinal signs come as two bytes: º ª.
    return between.find_first_not_of(" ,\t.-/\xC2\xBA\xAA'") == string_view::npos && between.size() <= 4
               ? piece::gap::linked
               : piece::gap::apart;
}

std::vector<piece> pieces_of(string_view query) {
    constexpr std::size_t most = 4'000;  // words: what is longer is a pasted text
    std::vector<piece> all;
    word_reader reader(query);
    std::size_t end = 0;
    for (word one{}; all.size() < most && reader.next(one);) {
        piece next;
        next.text = one.text;
        next.means = date_word_of(one.text);
        auto const between = query.substr(end, one.begin >= end ? one.begin - end : 0);
        if (!all.empty()) next.before = gap_of(between);
        next.apostrophe = between.ends_with('\'') || between.ends_with("\xE2\x80\x99");
        read_number(next);
        all.push_back(std::move(next));
        end = one.end;
    }
    return all;
}

int year_of(piece const& one) {
    if (one.apostrophe && one.digits == 2 && one.number >= 0) return 2000 + one.number;
    return one.digits == 4 && one.number >= 1900 && one.number <= 2099 ? one.number : 0;
}

int day_of(piece const& one) {
    return one.digits > 0 && one.number >= 1 && one.number <= 31 ? one.number : 0;
}

class date_finder {
public:
    date_finder(string_view query, std::uint32_t now) : text_(with_western_digits(query)), now_(now) {
        today_ = sys_days(days(now / (24 * 60)));
    }

    std::vector<asked_date> find() {
        find_numbers();
        find_phrases();
        pieces_ = pieces_of(text_);
        for (std::size_t i = 0; i < pieces_.size(); ++i)
            find_month(i);
        for (std::size_t i = 0; found_.empty() && i < pieces_.size(); ++i) {
            if (int const year = year_of(pieces_[i]); year != 0 && !pieces_[i].apostrophe)
                years_.push_back({.year = year});
        }
        found_.insert(found_.end(), years_.begin(), years_.end());
        for (std::size_t i = 0; now_ != 0 && i < pieces_.size(); ++i)
            find_relative(i);
        if (found_.size() > most_dates) found_.resize(most_dates);
        return found_;
    }

private:
    /// Dates of digits are taken out of the text, so that their years are not found again.
    void find_numbers() {
        for (std::size_t at = 0; found_.size() < most_dates && at < text_.size();) {
            bool const begins = is_digit(text_[at]) && (at == 0 || !is_part_of_number(text_[at - 1]));
            auto const size = begins ? numeric_date_at(string_view(text_).substr(at), found_) : 0;
            if (size > 0) std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(at), size, ';');
            at += std::max<std::size_t>(size, 1);
        }
    }

    static bool is_part_of_number(char c) {
        return is_digit(c) || c == '.' || c == '/' || c == '-' || c == ':' || c == '_' ||
               (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    void find_phrases() {
        for (std::size_t at = 0; now_ != 0 && found_.size() < most_dates && at < text_.size();) {
            auto const* one = date_phrase_at(string_view(text_).substr(at));
            at += one == nullptr ? 1 : one->text.size();
            if (one == nullptr) continue;
            switch (one->is) {
                case date_phrase::meaning::days_back:
                    add_day(today_ - days(one->value));
                    break;
                case date_phrase::meaning::weekday:
                    add_weekday(one->value);
                    break;
                case date_phrase::meaning::last:
                case date_phrase::meaning::running:
                    add_period(one->is == date_phrase::meaning::last, date_word::span(one->value));
            }
        }
    }

    /// The piece `ahead` places on, if nothing but blanks, commas and the like is between.
    [[nodiscard]] piece const& after(std::size_t i, std::size_t ahead = 1,
                                     piece::gap most = piece::gap::linked) const {
        static piece const none;
        for (std::size_t k = i + 1; k <= i + ahead; ++k) {
            if (k >= pieces_.size() || pieces_[k].before > most) return none;
        }
        return pieces_[i + ahead];
    }

    [[nodiscard]] piece const& before(std::size_t i, std::size_t back = 1,
                                      piece::gap most = piece::gap::linked) const {
        static piece const none;
        return i < back || after(i - back, back, most).text.empty() ? none : pieces_[i - back];
    }

    void find_month(std::size_t i) {
        auto const& name = pieces_[i].means;
        asked_date date{.month = name.month};
        if (date.month == 0) return;
        date.day = day_of(before(i));
        // "3rd of May", "1-го мая"
        bool const joined = before(i).means.of || before(i).text == "\xD0\xB3\xD0\xBE";
        if (date.day == 0 && joined) date.day = day_of(before(i, 2));
        auto at = i;
        if (int const day = day_of(after(at)); day != 0 && year_of(after(at)) == 0) {
            if (date.day == 0) date.day = day;
            ++at;
        }
        date.year = year_of(after(at));
        if (date.year == 0 && after(at).means.of) date.year = year_of(after(at, 2));
        if (date.year == 0 && date.day == 0) date.year = year_of(before(i));
        if (date.day == 0 && date.year == 0 && is_doubtful(i)) return;
        if (name.risky && (date.day == 0 || date.year == 0)) return;
        found_.push_back(date);
    }

    /// "may" is a verb more often than a month, "mar" the sea.
    [[nodiscard]] bool is_doubtful(std::size_t i) const {
        auto const& back = before(i, 1, piece::gap::close);
        return pieces_[i].means.doubtful && (!back.means.at || back.text == "el");
    }

    void find_relative(std::size_t i) {
        auto const& one = pieces_[i];
        auto const& next = after(i, 1, piece::gap::close);
        if (one.means.days_back >= 0) add_day(today_ - days(one.means.days_back));
        if (one.text == "hier" && is_french()) add_day(today_ - days(1));
        if (one.text == "last" && next.text == "night") add_day(today_ - days(1));
        if (one.means.unit != date_word::span::none) find_period(i);
        if (one.means.weekday != 0) find_weekday(i);
    }

    /// "hier" is "here" in German and Dutch.
    [[nodiscard]] bool is_french() const {
        std::vector<std::string> words;
        for (auto const& one : pieces_)
            words.push_back(one.text);
        return guess_language(words) == french;
    }

    /// "last week", "la semaine dernière", "this month", "3 days ago", "vor 3 Tagen", "il y a 3 jours"
    void find_period(std::size_t i) {
        auto const unit = pieces_[i].means.unit;
        auto const &back = before(i, 1, piece::gap::close), &next = after(i, 1, piece::gap::close);
        int const number = back.digits > 0 ? back.number : back.means.number;
        if (number >= 0 && (next.means.ago_after || stands_before_ago(i))) {
            add_ago(number, unit);
        } else if (back.means.last || next.means.last) {
            add_period(true, unit);
        } else if (back.means.running) {
            add_period(false, unit);
        }
    }

    [[nodiscard]] bool stands_before_ago(std::size_t i) const {
        if (before(i, 2, piece::gap::close).means.ago_before) return true;
        return before(i, 4, piece::gap::close).text == "il" && before(i, 3).text == "y";
    }

    void find_weekday(std::size_t i) {
        auto const &back = before(i, 1, piece::gap::close), &next = after(i, 1, piece::gap::close);
        bool const past = back.means.last || next.means.last;
        if (pieces_[i].means.short_day && !past && back.text != "on") return;  // "I sat in the sun"
        if (past || (back.means.at && back.text != "next")) add_weekday(pieces_[i].means.weekday);
    }

    /// The latest before today.
    void add_weekday(int weekday) {
        auto const day = monday() + days(weekday - 1);
        add_day(day < today_ ? day : day - days(7));
    }

    [[nodiscard]] sys_days monday() const {
        return today_ - (std::chrono::weekday(today_) - std::chrono::Monday);
    }

    void add_period(bool last, date_word::span unit) {
        if (unit == date_word::span::week)
            add_span(last ? monday() - days(7) : monday(), last ? monday() - days(1) : monday() + days(6));
        if (unit == date_word::span::month) add_month(last ? 1 : 0);
        if (unit == date_word::span::year)
            found_.push_back({.year = static_cast<int>(year_month_day(today_).year()) - (last ? 1 : 0)});
    }

    void add_ago(int number, date_word::span unit) {
        if (unit == date_word::span::day) add_day(today_ - days(number));
        if (unit == date_word::span::week) {
            auto const day = today_ - days(7 * number);
            add_span(day - days(3), day + days(3));
        }
        if (unit == date_word::span::month) add_month(number);
        if (unit == date_word::span::year) {
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

    std::string text_;
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
    constexpr std::size_t most_bytes = 32'768;  // of a query that are looked at for dates
    return date_finder(query.substr(0, most_bytes), now_minutes).find();
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
