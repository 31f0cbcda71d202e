#include "workers/time_zone.hpp"

#include <absl/time/time.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace engram::workers {

struct time_zone::rules {
    absl::TimeZone zone;
};

namespace {

constexpr std::size_t longest_name = 64;

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

bool is_name_byte(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '/';
}

// All names begin with a capital letter, and none has a dot: so neither other files of the table
// ("localtime", "posixrules", "zone.tab") nor paths to somewhere else have the form of one.
bool has_form_of_a_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name && is_upper(name.front()) && name.back() != '/' &&
           name.find("//") == std::string_view::npos && std::ranges::all_of(name, is_name_byte);
}

// Abseil remembers every name that it was asked for, so it is not asked for what is not there.
bool is_in_table(std::string_view name) {
    auto const* const folder = std::getenv("TZDIR");
    std::filesystem::path const table = folder ? folder : "/usr/share/zoneinfo";
    std::error_code error;
    return std::filesystem::is_regular_file(table / name, error);
}

}  // namespace

time_zone::time_zone(std::string name, std::shared_ptr<rules const> rules)
    : name_(std::move(name)), rules_(std::move(rules)) {}

std::shared_ptr<time_zone const> time_zone::open(std::string_view name) {
    auto zone = absl::UTCTimeZone();
    if (name != "UTC") {
        if (!has_form_of_a_name(name) || !is_in_table(name)) return nullptr;
        if (!absl::LoadTimeZone(std::string(name), &zone)) return nullptr;
    }
    return std::make_shared<time_zone>(std::string(name), std::make_shared<rules>(zone));
}

std::string time_zone::describe(base::wall_time when) const {
    auto const now = absl::FromChrono(when);
    auto const place = name_ == "UTC" ? name_ : name_ + absl::FormatTime(", UTC%Ez", now, rules_->zone);
    return absl::FormatTime("%A, %Y-%m-%d, %H:%M", now, rules_->zone) + " (" + place + ")";
}

}  // namespace engram::workers
