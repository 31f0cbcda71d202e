// How a log record travels to the writer thread and what it is turned into there.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog::sinks {
class sink;
}

namespace engram::base {

/// A record between the calling thread and the writer: the sentence, then `key`, kind, value for each field,
/// separated by 0x1F. Kinds: 's' string, 'n' number or truth value.
[[nodiscard]] std::string pack_record(std::string_view sentence, log_fields fields);

struct log_record {
    struct field {
        std::string_view key;
        bool is_string;
        std::string_view value;
    };
    std::string_view sentence;
    std::vector<field> fields;
};

/// Views into `packed`.
[[nodiscard]] log_record unpack_record(std::string_view packed);

/// "… sentence  key=value key="two words"", control characters escaped.
[[nodiscard]] std::string format_text(log_record const& record);

/// One JSON object without the line end: time, level, msg, then the fields. `time` is already UTC text.
[[nodiscard]] std::string format_json(log_record const& record, std::string_view time,
                                      std::string_view level);

/// Until when lines may wait for a reader of standard error that does not read; then they are dropped. At
/// first: for ever.
void set_log_patience(steady_time until);

/// A sink that writes packed records in `format` (not `automatic`).
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> make_log_sink(log_format format);

}  // namespace engram::base
