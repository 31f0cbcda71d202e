// Structured logging: a fixed sentence and fields beside it.
//
//     log_info("job answered", {{"job", id}, {"user", user}, {"ms", 12}});
//
// Levels: error = an operator must act; warn = something degraded; info = one line a job and a state change;
// debug = more of that. Message text of users and secrets never go into the log at any level but trace.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace engram::base {

enum class log_level { trace, debug, info, warn, error, off };

/// `automatic`: text on a terminal, the journal under systemd (`JOURNAL_STREAM`) and where standard error is
/// closed, JSON lines otherwise.
enum class log_format { automatic, text, json, journal };

struct log_options {
    log_level level = log_level::info;
    log_format format = log_format::automatic;
};

/// One key and value. Borrowed: lives until the log call returns.
struct log_field {
    template <std::integral I>
    log_field(std::string_view k, I v) : key(k), value(static_cast<std::int64_t>(v)) {}
    log_field(std::string_view k, bool v) : key(k), value(v) {}
    log_field(std::string_view k, double v) : key(k), value(v) {}
    log_field(std::string_view k, std::string_view v) : key(k), value(v) {}
    log_field(std::string_view k, std::string const& v) : key(k), value(std::string_view(v)) {}
    log_field(std::string_view k, char const* v) : key(k), value(std::string_view(v)) {}

    std::string_view key;
    std::variant<std::int64_t, double, bool, std::string_view> value;
};

using log_fields = std::initializer_list<log_field>;

/// Starts the background writer (standard error, or the journal's socket). Until then, and after log_stop(),
/// warnings and errors are written as text to standard error at once. Lines are dropped, oldest first, rather
/// than let a slow reader of the log stop the daemon. Where no thread can be had for it lines are written at
/// once, and dropped if nobody takes them at once.
void log_start(log_options const& options);

/// Writes what is waiting and stops the background writer.
void log_stop();

void log_set_level(log_level level);
[[nodiscard]] bool log_enabled(log_level level);

void log(log_level level, std::string_view sentence, log_fields fields = {});

inline void log_debug(std::string_view s, log_fields f = {}) {
    log(log_level::debug, s, f);
}
inline void log_info(std::string_view s, log_fields f = {}) {
    log(log_level::info, s, f);
}
inline void log_warn(std::string_view s, log_fields f = {}) {
    log(log_level::warn, s, f);
}
inline void log_error(std::string_view s, log_fields f = {}) {
    log(log_level::error, s, f);
}

}  // namespace engram::base
