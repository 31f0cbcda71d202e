#include "base/log_sink.hpp"

#include "base/clock.hpp"
#include "base/json_text.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <systemd/sd-journal.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits.h>
#include <mutex>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace engram::base {
namespace {

using namespace std::chrono_literals;

constexpr char separator = '\x1f';

bool needs_quotes(std::string_view value) {
    return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
               auto const byte = static_cast<unsigned char>(c);
               return byte <= ' ' || byte == 0x7f || c == '"' || c == '=' || c == '\\';
           });
}

struct pack_value {
    std::string& out;
    void operator()(std::int64_t v) const { (out += 'n') += std::to_string(v); }
    void operator()(bool v) const { (out += 'n') += v ? "true" : "false"; }
    void operator()(double v) const {
        if (!std::isfinite(v))
            return (*this)(std::string_view(std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"));
        char digits[32];
        auto const end = std::to_chars(digits, digits + sizeof digits, v, std::chars_format::general, 6).ptr;
        (out += 'n').append(digits, end);
    }
    void operator()(std::string_view v) const {
        out += 's';
        for (char const c : v)
            out += c == separator ? ' ' : c;
    }
};

// Until when a line may wait for a reader that does not read; steady clock.
std::atomic<steady_time> patience_ends{steady_time::max()};

// False if the line has waited long enough.
bool wait_for_reader() {
    for (;;) {
        auto const left = patience_ends.load() - std::chrono::steady_clock::now();
        auto const wait = std::clamp(left, steady_time::duration(0), steady_time::duration(100ms));
        pollfd output{STDERR_FILENO, POLLOUT, 0};
        int const ready = ::poll(&output, 1, int(std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
        if (left <= steady_time::duration(0)) return false;
    }
}

void write_all(std::string_view line) {
    while (!line.empty()) {
        if (!wait_for_reader()) return;
        // A pipe with any room has room for this much, so that write() itself never waits.
        ssize_t const n = ::write(STDERR_FILENO, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF));
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return;  // nobody reads the log: nothing better to do with this line
        line.remove_prefix(std::size_t(n));
    }
}

class record_sink : public spdlog::sinks::base_sink<std::mutex> {
protected:
    void flush_() override {}
};

class text_sink final : public record_sink {
    void sink_it_(spdlog::details::log_msg const& message) override {
        auto const packed = std::string_view(message.payload.data(), message.payload.size());
        auto const level = spdlog::level::to_short_c_str(message.level);
        write_all(to_utc_text(message.time) + ' ' + level + ' ' + format_text(unpack_record(packed)) + '\n');
    }
};

class json_sink final : public record_sink {
    void sink_it_(spdlog::details::log_msg const& message) override {
        auto const packed = std::string_view(message.payload.data(), message.payload.size());
        auto const level = spdlog::level::to_string_view(message.level);
        write_all(
            format_json(unpack_record(packed), to_utc_text(message.time), {level.data(), level.size()}) +
            '\n');
    }
};

class journal_sink final : public record_sink {
    void sink_it_(spdlog::details::log_msg const& message) override {
        auto const record = unpack_record({message.payload.data(), message.payload.size()});
        std::vector<std::string> lines;
        lines.push_back("MESSAGE=" + format_text(record));
        lines.push_back("PRIORITY=" + std::to_string(priority(message.level)));
        lines.push_back("SYSLOG_IDENTIFIER=engramd");
        for (auto const& field : record.fields) {
            std::string line = "ENGRAM_";
            for (char const c : field.key)
                line += std::isalnum(static_cast<unsigned char>(c)) ? char(std::toupper(c)) : '_';
            lines.push_back(std::move(line += '=').append(field.value));
        }
        std::vector<iovec> parts;
        for (auto& line : lines)
            parts.push_back({line.data(), line.size()});
        sd_journal_sendv(parts.data(), int(parts.size()));
    }

    static int priority(spdlog::level::level_enum level) {
        switch (level) {
            case spdlog::level::critical:
                return 2;
            case spdlog::level::err:
                return 3;
            case spdlog::level::warn:
                return 4;
            case spdlog::level::info:
                return 6;
            default:
                return 7;
        }
    }
};

}  // namespace

std::string pack_record(std::string_view sentence, log_fields fields) {
    std::string packed(sentence);
    for (auto const& field : fields) {
        packed += separator;
        packed += field.key;
        packed += separator;
        std::visit(pack_value{packed}, field.value);
    }
    return packed;
}

log_record unpack_record(std::string_view packed) {
    auto const next = [&packed] {
        auto const end = std::min(packed.find(separator), packed.size());
        auto const part = packed.substr(0, end);
        packed.remove_prefix(std::min(end + 1, packed.size()));
        return part;
    };
    log_record record;
    record.sentence = next();
    while (!packed.empty()) {
        auto const key = next();
        auto const value = next();
        if (value.empty()) break;
        record.fields.push_back({key, value[0] == 's', value.substr(1)});
    }
    return record;
}

std::string format_text(log_record const& record) {
    std::string line;
    append_json_escaped(line, record.sentence);
    for (auto const& field : record.fields) {
        line += ' ';
        line += field.key;
        line += '=';
        if (field.is_string && needs_quotes(field.value))
            append_json_string(line, field.value);
        else
            append_json_escaped(line, field.value);
    }
    return line;
}

std::string format_json(log_record const& record, std::string_view time, std::string_view level) {
    std::string line;
    json_object_writer all(line);
    all.text("time", time);
    all.text("level", level);
    all.text("msg", record.sentence);
    for (auto const& field : record.fields) {
        if (field.is_string)
            all.text(field.key, field.value);
        else
            all.raw(field.key, field.value);
    }
    all.end();
    return line;
}

void set_log_patience(steady_time until) {
    patience_ends = until;
}

std::shared_ptr<spdlog::sinks::sink> make_log_sink(log_format format) {
    if (format == log_format::journal) return std::make_shared<journal_sink>();
    if (format == log_format::json) return std::make_shared<json_sink>();
    return std::make_shared<text_sink>();
}

}  // namespace engram::base
