// JSON as it is written: the one escaper and the one writer. Reading is Boost.JSON's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace engram::base {

/// Appends `text` as it stands between the quotes of a JSON string: `"`, `\`, and the control characters
/// U+0000 to U+001F and U+007F escaped, the usual ones in their short form. Bytes that are not UTF-8 become
/// U+FFFD. What it writes is also the inside of a basic string of TOML.
void append_json_escaped(std::string& out, std::string_view text);

/// The same with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest decimal text, without an exponent, that reads back as `value`; `null` for what JSON
/// has no number for.
void append_json_number(std::string& out, double value);

/// Appends one JSON object to a text, member by member, so that JSON which is there already can go in
/// untouched. Names are written as they are: they must need no escaping. For an object or array inside,
/// write key() and then the value. `out` must outlive it.
class json_object_writer {
public:
    explicit json_object_writer(std::string& out) : out_(out) { out_ += '{'; }

    void key(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }
    void text(std::string_view name, std::string_view value) {
        key(name);
        append_json_string(out_, value);
    }
    void number(std::string_view name, std::int64_t value) {
        key(name);
        out_ += std::to_string(value);
    }
    void boolean(std::string_view name, bool value) {
        key(name);
        out_ += value ? "true" : "false";
    }
    /// `json` is a whole JSON value.
    void raw(std::string_view name, std::string_view json) {
        key(name);
        out_ += json;
    }
    void end() { out_ += '}'; }

private:
    std::string& out_;
    bool first_ = true;
};

}  // namespace engram::base
