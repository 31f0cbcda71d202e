// A reply of Redis as a value.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::redis {

enum class value_kind { nil, integer, string, status, error, array };

struct value {
    value_kind kind = value_kind::nil;
    std::int64_t integer = 0;
    std::string text;  ///< of a string, status or error
    std::vector<value> items;

    [[nodiscard]] bool is_nil() const { return kind == value_kind::nil; }
    [[nodiscard]] bool is_array() const { return kind == value_kind::array; }
    [[nodiscard]] bool is_text() const { return kind == value_kind::string || kind == value_kind::status; }
    /// An integer, or a string that holds one; 0 for anything else.
    [[nodiscard]] std::int64_t as_integer() const;
};

enum class error_kind {
    disconnected,  ///< the connection was lost or none could be made: the command may or may not have run
    timeout,       ///< no answer in time; as `disconnected`
    refused,  ///< Redis answered with an error: `message` begins with its code (READONLY, OOM, WRONGTYPE …)
};

struct error {
    error_kind kind = error_kind::disconnected;
    std::string message;
    bool with_connection = false;  ///< the connection was lost while the command was on it

    /// The command may have run all the same.
    [[nodiscard]] bool leaves_doubt() const { return kind != error_kind::refused; }
    [[nodiscard]] bool has_code(std::string_view code) const {
        return kind == error_kind::refused && message.substr(0, code.size()) == code;
    }
    /// Redis says that an argument is longer than it takes; it closes the connection.
    [[nodiscard]] bool is_too_long() const { return has_code("ERR Protocol error"); }
};

template <class T>
using result = base::result<T, error>;

}  // namespace engram::redis
