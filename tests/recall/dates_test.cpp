#include "recall/dates.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace engram::recall;

std::uint32_t minutes(int year, unsigned month, unsigned day, int hour = 12) {
    auto const date =
        std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day));
    return static_cast<std::uint32_t>(date.time_since_epoch().count() * 24 * 60 + hour * 60);
}

/// How close a text of that day is to what the query asks, on Wednesday, 14 June 2023.
double fit(std::string const& query, int year, unsigned month, unsigned day) {
    return closeness(asked_dates(query, minutes(2023, 6, 14)), minutes(year, month, day));
}

BOOST_AUTO_TEST_SUITE(dates)

BOOST_AUTO_TEST_CASE(a_full_date_is_told_that_day_or_soon_after) {
    for (auto const* query :
         {"on 7 May 2023?", "May 7, 2023", "7th of May, 2023", "the 7th of may 2023", "May 7th 2023"}) {
        BOOST_TEST_CONTEXT(query) {
            BOOST_TEST(fit(query, 2023, 5, 7) == 1);
            BOOST_TEST(fit(query, 2023, 5, 8) == 1);
            BOOST_TEST(fit(query, 2023, 5, 6) == .5);
            BOOST_TEST(fit(query, 2023, 5, 21) == .5);
            BOOST_TEST(fit(query, 2023, 5, 22) == 0);
            BOOST_TEST(fit(query, 2022, 5, 7) == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_day_without_a_year_is_of_any_year) {
    BOOST_TEST(fit("on 31 December", 2024, 1, 1) == .5);
    BOOST_TEST(fit("on 3 August", 2021, 8, 4) == 1);
    BOOST_TEST(fit("on 3 August", 2021, 9, 4) == 0);
}

BOOST_AUTO_TEST_CASE(a_month_reaches_into_the_next) {
    BOOST_TEST(fit("in March 2022", 2022, 3, 30) == 1);
    BOOST_TEST(fit("in March 2022", 2022, 4, 15) == .5);
    BOOST_TEST(fit("in March 2022", 2022, 4, 16) == 0);
    BOOST_TEST(fit("in March 2022", 2023, 3, 3) == 0);
    BOOST_TEST(fit("in December 2022", 2023, 1, 3) == .5);
}

BOOST_AUTO_TEST_CASE(a_year_counts_only_without_a_better_date) {
    BOOST_TEST(fit("in 2022", 2022, 12, 1) == 1);
    BOOST_TEST(fit("in 2022", 2023, 1, 1) == 0);
    BOOST_TEST(asked_dates("March 2022 or 2021", 0).size() == 1U);
}

BOOST_AUTO_TEST_CASE(may_is_a_month_only_when_the_words_around_say_so) {
    BOOST_TEST(asked_dates("what may I eat", 0).empty());
    BOOST_TEST(asked_dates("may-be", 0).empty());
    BOOST_TEST(asked_dates("what happened in May", 0).size() == 1U);
    BOOST_TEST(asked_dates("what happened in, well. May", 0).empty());
}

BOOST_AUTO_TEST_CASE(words_count_from_now) {
    BOOST_TEST(fit("what did I say today", 2023, 6, 14) == 1);
    BOOST_TEST(fit("yesterday", 2023, 6, 13) == 1);
    BOOST_TEST(fit("yesterday", 2023, 6, 11) == 0);
    BOOST_TEST(fit("last night", 2023, 6, 13) == 1);
    BOOST_TEST(fit("this week", 2023, 6, 12) == 1);
    BOOST_TEST(fit("last week", 2023, 6, 5) == 1);
    BOOST_TEST(fit("last week", 2023, 6, 11) == 1);
    BOOST_TEST(fit("last week", 2023, 6, 3) == 0);
    BOOST_TEST(fit("this month", 2023, 6, 2) == 1);
    BOOST_TEST(fit("last month", 2023, 5, 2) == 1);
    BOOST_TEST(fit("this year", 2023, 1, 2) == 1);
    BOOST_TEST(fit("last year", 2022, 1, 2) == 1);
    BOOST_TEST(fit("3 days ago", 2023, 6, 11) == 1);
    BOOST_TEST(fit("two weeks ago", 2023, 5, 31) == 1);
    BOOST_TEST(fit("a month ago", 2023, 5, 20) == 1);
    BOOST_TEST(fit("18 months ago", 2021, 12, 20) == 1);
    BOOST_TEST(fit("last Tuesday", 2023, 6, 13) == 1);
    BOOST_TEST(fit("last Wednesday", 2023, 6, 7) == 1);
    BOOST_TEST(fit("last friday", 2023, 6, 9) == 1);
}

struct form {
    char const* text;
    int year, month, day;  ///< 0: not said
};

bool holds(std::vector<asked_date> const& all, form const& one) {
    return std::any_of(all.begin(), all.end(), [&one](asked_date const& date) {
        return date.year == one.year && date.month == one.month && date.day == one.day && !date.is_span();
    });
}

BOOST_AUTO_TEST_CASE(dates_are_read_in_the_forms_that_people_write) {
    form const forms[] = {{"What did I plan for 31 Dec?", 0, 12, 31},
                          {"what about Dec 31st", 0, 12, 31},
                          {"the week of 31. Dez.", 0, 12, 31},
                          {"back in Jan 2024", 2024, 1, 0},
                          {"in Jan. 2024", 2024, 1, 0},
                          {"Jan '24", 2024, 1, 0},
                          {"on Sept 3, 2023", 2023, 9, 3},
                          {"29 Feb 2024", 2024, 2, 29},
                          {"3rd of March 2022", 2022, 3, 3},
                          {"31-Dec-2023", 2023, 12, 31},
                          {"on 10.01.2024?", 2024, 1, 10},
                          {"on 10.1.2024, please", 2024, 1, 10},
                          {"am 10. 1. 2024", 2024, 1, 10},
                          {"10.01.24", 2024, 1, 10},
                          {"am 10.01. in Wien", 0, 1, 10},
                          {"12/31/2023", 2023, 12, 31},
                          {"31/12/2023", 2023, 12, 31},
                          {"12/31/23", 2023, 12, 31},
                          {"31-12-2023", 2023, 12, 31},
                          {"2023-12-31", 2023, 12, 31},
                          {"since 2023-12-31T10:00", 2023, 12, 31},
                          {"2023/12/31", 2023, 12, 31},
                          {"2023.12.31", 2023, 12, 31},
                          {"in 2023-12?", 2023, 12, 0},
                          {"Was war am 10. Januar 2024?", 2024, 1, 10},
                          {"Was war am 3. März?", 0, 3, 3},
                          {"im Dezember 2023", 2023, 12, 0},
                          {"im Mai", 0, 5, 0},
                          {"le 10 janvier 2024", 2024, 1, 10},
                          {"le 1er août", 0, 8, 1},
                          {"en février 2023", 2023, 2, 0},
                          {"el 10 de enero de 2024", 2024, 1, 10},
                          {"en diciembre del 2023", 2023, 12, 0},
                          {"no dia 10 de janeiro de 2024", 2024, 1, 10},
                          {"em março de 2023", 2023, 3, 0},
                          {"il 10 gennaio 2024", 2024, 1, 10},
                          {"nell'agosto 2023", 2023, 8, 0},
                          {"op 10 januari 2024", 2024, 1, 10},
                          {"10 stycznia 2024", 2024, 1, 10},
                          {"w grudniu 2023", 2023, 12, 0},
                          {"10 января 2024 года", 2024, 1, 10},
                          {"1-го мая", 0, 5, 1},
                          {"в декабре", 0, 12, 0},
                          {"10 січня 2024", 2024, 1, 10},
                          {"10 Ocak 2024'te", 2024, 1, 10},
                          {"3 Ağustos", 0, 8, 3},
                          {"den 10 januari 2024", 2024, 1, 10},
                          {"10. desember 2023", 2023, 12, 10},
                          {"2024年1月10日に何をした", 2024, 1, 10},
                          {"２０２４年１月１０日", 2024, 1, 10},
                          {"১০.০১.২০২৪ তারিখে", 2024, 1, 10},
                          {"३१/१२/२०२३ को", 2023, 12, 31},
                          {"٣١/١٢/٢٠٢٣", 2023, 12, 31},
                          {"1月10日", 0, 1, 10},
                          {"2023年12月", 2023, 12, 0},
                          {"1月10号", 0, 1, 10},
                          {"2024년 1월 10일에", 2024, 1, 10},
                          {"1월 10일", 0, 1, 10},
                          {"10 يناير 2024", 2024, 1, 10},
                          {"10 जनवरी 2024", 2024, 1, 10},
                          {"10 Januari 2024", 2024, 1, 10}};
    for (auto const& one : forms) {
        auto const all = asked_dates(one.text, minutes(2024, 6, 14));
        BOOST_TEST(all.size() == 1U, one.text << ": " << all.size() << " dates");
        BOOST_TEST(holds(all, one), one.text);
    }
}

BOOST_AUTO_TEST_CASE(where_day_and_month_may_be_either_both_are_asked_for) {
    auto const all = asked_dates("on 03/04/2023", 0);
    BOOST_TEST(all.size() == 2U);
    BOOST_TEST((holds(all, {"", 2023, 4, 3}) && holds(all, {"", 2023, 3, 4})));
    BOOST_TEST(asked_dates("on 03.04.2023", 0).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_only_looks_like_a_date_is_none) {
    for (auto const* text : {"what may I eat",
                             "three out of ten, 3 out of 10",
                             "my mom and the sun",
                             "I sat in the sun",
                             "we may go",
                             "Ich mag 2 Hunde",
                             "siehst du das? Sie 3 mal",
                             "el mar es azul",
                             "des 3 chats",
                             "jamais deux sans trois, sept jours",
                             "version 1.2.3",
                             "it costs 10.50",
                             "192.168.1.10",
                             "at 10/12",
                             "12:30",
                             "call 030-12-345678",
                             "chapter 3.5.",
                             "Wer wohnt hier?",
                             "Wie woont hier?",
                             "set 3 alarms",
                             "march of the penguins",
                             "a week, a month"}) {
        auto const all = asked_dates(text, minutes(2024, 6, 14));
        BOOST_TEST(all.empty(),
                   text << ": " << (all.empty() ? 0 : all[0].month) << "/" << (all.empty() ? 0 : all[0].day));
    }
}

BOOST_AUTO_TEST_CASE(words_that_count_from_now_are_known_in_other_languages) {
    struct {
        char const* text;
        unsigned month, day;
    } const told[] = {{"Was habe ich gestern gesagt?", 6, 13},
                      {"vorgestern", 6, 12},
                      {"heute", 6, 14},
                      {"letzte Woche", 6, 7},
                      {"im letzten Monat", 5, 20},
                      {"vor 3 Tagen", 6, 11},
                      {"vor zwei Wochen", 5, 31},
                      {"am Dienstag", 6, 13},
                      {"qu'ai-je dit hier ?", 6, 13},
                      {"la semaine dernière", 6, 7},
                      {"il y a 3 jours", 6, 11},
                      {"lundi dernier", 6, 12},
                      {"¿qué dije ayer?", 6, 13},
                      {"la semana pasada", 6, 7},
                      {"hace tres días", 6, 11},
                      {"o que eu disse ontem?", 6, 13},
                      {"semana passada", 6, 7},
                      {"há 3 dias", 6, 11},
                      {"cosa ho detto ieri?", 6, 13},
                      {"settimana scorsa", 6, 7},
                      {"3 giorni fa", 6, 11},
                      {"wat zei ik gisteren?", 6, 13},
                      {"vorige week", 6, 7},
                      {"3 dagen geleden", 6, 11},
                      {"co mówiłem wczoraj?", 6, 13},
                      {"w zeszłym tygodniu", 6, 7},
                      {"3 dni temu", 6, 11},
                      {"что я говорил вчера?", 6, 13},
                      {"на прошлой неделе", 6, 7},
                      {"3 дня назад", 6, 11},
                      {"во вторник", 6, 13},
                      {"dün ne dedim?", 6, 13},
                      {"geçen hafta", 6, 7},
                      {"3 gün önce", 6, 11},
                      {"vad sa jag igår?", 6, 13},
                      {"förra veckan", 6, 7},
                      {"昨日何を話した?", 6, 13},
                      {"先週", 6, 7},
                      {"火曜日", 6, 13},
                      {"昨天我说了什么", 6, 13},
                      {"上周", 6, 7},
                      {"어제 뭐라고 했지?", 6, 13},
                      {"지난주", 6, 7}};
    for (auto const& one : told)
        BOOST_TEST(fit(one.text, 2023, one.month, one.day) == 1, one.text);
}

BOOST_AUTO_TEST_CASE(without_a_now_such_words_mean_nothing) {
    BOOST_TEST(asked_dates("yesterday, last week, 3 days ago, last year", 0).empty());
}

BOOST_AUTO_TEST_CASE(odd_dates_are_no_dates_or_fit_nothing) {
    BOOST_TEST(fit("31 February 2023", 2023, 2, 28) == 0);
    BOOST_TEST(asked_dates("in 1899 or 2100 or 20231", 0).empty());
    BOOST_TEST(asked_dates("9999 years ago", minutes(2023, 6, 14)).size() == 1U);
    BOOST_TEST(fit("9999 months ago", 2023, 6, 14) == 0);
    BOOST_TEST(fit("9999 weeks ago", 2023, 6, 14) == 0);
    std::string many;
    for (int i = 0; i < 10'000; ++i)
        many += "7 May 2023 ";
    BOOST_TEST(asked_dates(many, 0).size() == 8U);
    BOOST_TEST(closeness(asked_dates("in 2022", 0), 0) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
