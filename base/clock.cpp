#include "base/clock.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace engram::base {

using namespace std::chrono;

std::int64_t to_unix_ms(wall_time t) {
    return duration_cast<milliseconds>(t.time_since_epoch()).count();
}

std::string to_utc_text(wall_time t) {
    auto const day = floor<days>(t);
    year_month_day const date{day};
    hh_mm_ss const time{floor<milliseconds>(t - day)};
    char text[40];
    int const size = std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d.%03d", int(date.year()),
                                   unsigned(date.month()), unsigned(date.day()), int(time.hours().count()),
                                   int(time.minutes().count()), int(time.seconds().count()),
                                   int(time.subseconds().count()));
    return {text, std::size_t(std::max(size, 0))};
}

std::int64_t elapsed_ms(steady_time from, steady_time to) {
    return std::max<std::int64_t>(0, duration_cast<milliseconds>(to - from).count());
}

}  // namespace engram::base
