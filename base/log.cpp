#include "base/log.hpp"

#include "base/log_sink.hpp"
#include "base/standard_streams.hpp"

#include <spdlog/async.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace engram::base {
namespace {

constexpr std::size_t queue_records = 2048;  // about 400 bytes each, taken at the start

spdlog::level::level_enum to_spdlog(log_level level) {
    switch (level) {
        case log_level::trace:
            return spdlog::level::trace;
        case log_level::debug:
            return spdlog::level::debug;
        case log_level::info:
            return spdlog::level::info;
        case log_level::warn:
            return spdlog::level::warn;
        case log_level::error:
            return spdlog::level::err;
        case log_level::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

// The variable is inherited: only if it names this very stream is it the journal (systemd.exec(5)).
bool is_journal(int stream) {
    char const* const named = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    if (!named || fstat(stream, &status) != 0) return false;
    return std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == named;
}

log_format choose_format(log_format wanted) {
    if (wanted != log_format::automatic) return wanted;
    if (isatty(STDERR_FILENO)) return log_format::text;
    if (is_journal(STDERR_FILENO)) return log_format::journal;
    if (standard_error_was_closed() && access("/run/systemd/journal/socket", W_OK) == 0)
        return log_format::journal;
    return log_format::json;
}

std::shared_ptr<spdlog::logger> make_early_logger() {
    auto logger = std::make_shared<spdlog::logger>("engram", make_log_sink(log_format::text));
    logger->set_level(spdlog::level::warn);
    return logger;
}

std::shared_ptr<spdlog::logger>& current() {
    static std::shared_ptr<spdlog::logger> logger = make_early_logger();
    return logger;
}

std::shared_ptr<spdlog::details::thread_pool>& writer() {
    static std::shared_ptr<spdlog::details::thread_pool> pool;
    return pool;
}

}  // namespace

void log_start(log_options const& options) {
    auto const sink = make_log_sink(choose_format(options.format));
    std::shared_ptr<spdlog::logger> logger;
    std::string problem;
    try {
        writer() = std::make_shared<spdlog::details::thread_pool>(queue_records, 1);
        set_log_patience(steady_time::max());
        logger = std::make_shared<spdlog::async_logger>("engram", sink, writer(),
                                                        spdlog::async_overflow_policy::overrun_oldest);
    } catch (std::system_error const& no_thread) {
        problem = no_thread.what();
        set_log_patience(steady_time{});
        logger = std::make_shared<spdlog::logger>("engram", sink);
    }
    logger->set_level(to_spdlog(options.level));
    logger->flush_on(spdlog::level::off);
    current() = std::move(logger);
    if (!problem.empty()) log_warn("the log has no thread of its own", {{"error", problem}});
}

void log_stop() {
    current() = make_early_logger();
    set_log_patience(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    writer().reset();  // joins the thread after it has written what is queued
}

void log_set_level(log_level level) {
    current()->set_level(to_spdlog(level));
}

bool log_enabled(log_level level) {
    return current()->should_log(to_spdlog(level));
}

void log(log_level level, std::string_view sentence, log_fields fields) {
    auto const at = to_spdlog(level);
    auto& logger = *current();
    if (!logger.should_log(at)) return;
    logger.log(at, spdlog::string_view_t(pack_record(sentence, fields)));
}

}  // namespace engram::base
