#include "workers/time_zone.hpp"

#include "base/local_lack.hpp"

#include <absl/time/time.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
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

std::string table() {
    auto const* const folder = std::getenv("TZDIR");
    return folder ? folder : "/usr/share/zoneinfo";
}

[[noreturn]] void cannot_read(std::string_view name, std::string const& why) {
    throw unreadable_zone("the time zone " + std::string(name) + " cannot be read: " + why);
}

// Abseil remembers every name that it was asked for, so it is not asked for what is not there, nor while no
// file can be opened. Not by stat() alone, which needs no descriptor.
bool is_in_table(std::string_view name) {
    auto const file = table() + '/' + std::string(name);
    int const opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        std::error_code const error(errno, std::generic_category());
        auto const lack = base::local_lack(error);
        cannot_read(name, lack.empty() ? error.message() : lack);
    }
    struct stat found{};
    bool const is_file = ::fstat(opened, &found) == 0 && S_ISREG(found.st_mode);
    ::close(opened);
    return is_file;
}

// What Abseil could not read once, it never reads again under that name: whatever was lacking for a moment,
// the zone would be gone until a restart. So each further try spells the file's path with one slash more.
class spellings {
public:
    std::string of(std::string const& name) const {
        std::scoped_lock const lock(mutex_);
        auto const at = failures_.find(name);
        return table() + std::string(1 + (at == failures_.end() ? 0 : at->second), '/') + name;
    }
    void failed(std::string const& name) {
        std::scoped_lock const lock(mutex_);
        auto& failures = failures_[name];
        // The file was there a moment ago. One that is damaged for good must not take memory without end.
        failures = std::min(failures + 1, most_failures);
    }

private:
    static constexpr std::size_t most_failures = 100;
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t> failures_;  // by name, of those in the table
};

}  // namespace

time_zone::time_zone(std::string name, std::shared_ptr<rules const> rules)
    : name_(std::move(name)), rules_(std::move(rules)) {}

std::shared_ptr<time_zone const> time_zone::open(std::string_view name) {
    auto zone = absl::UTCTimeZone();
    if (name != "UTC") {
        static spellings spelled;
        if (!has_form_of_a_name(name) || !is_in_table(name)) return nullptr;
        std::string const known(name);
        if (!absl::LoadTimeZone(spelled.of(known), &zone)) {
            spelled.failed(known);
            cannot_read(name, "it is damaged, or something was lacking for a moment");
        }
    }
    return std::make_shared<time_zone>(std::string(name), std::make_shared<rules>(zone));
}

std::string time_zone::describe(base::wall_time when) const {
    auto const now = absl::FromChrono(when);
    auto const place = name_ == "UTC" ? name_ : name_ + absl::FormatTime(", UTC%Ez", now, rules_->zone);
    return absl::FormatTime("%A, %Y-%m-%d, %H:%M", now, rules_->zone) + " (" + place + ")";
}

}  // namespace engram::workers
