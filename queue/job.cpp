#include "queue/job.hpp"

#include "base/utf8.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>

namespace engram::queue {

namespace json = boost::json;

namespace {

constexpr std::size_t most_name_bytes = 128;
constexpr std::size_t most_metadata_bytes = 4096;
constexpr std::size_t most_reply_key_bytes = 1024;

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= most_name_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == ':' || c == '-';
           });
}

// Takes the fields of a job one after the other; the first complaint is kept, but every valid field is taken.
class field_reader {
public:
    field_reader(json::object const& object, std::string_view bytes, job_limits const& limits,
                 job_error& error)
        : object_(object), bytes_(bytes), limits_(limits), error_(error) {}

    void read() {
        job& into = error_.partial;
        read_id(into);
        read_reply_to(into);
        read_metadata(into);
        read_name("user_id", into.user_id, true);
        read_name("session_id", into.session_id, false);
        read_message(into);
        read_name("timezone", into.timezone, false);
        read_stream(into);
        read_deadline(into);
    }

private:
    json::value const* find(std::string_view name) const {
        auto const* value = object_.if_contains(name);
        return value && !value->is_null() ? value : nullptr;
    }

    void complain(std::string message) {
        if (error_.message.empty()) error_.message = std::move(message);
    }

    void read_id(job& into) {
        auto const* value = find("id");
        if (!value) return;
        if (!value->is_string() || !is_id(value->get_string()))
            return complain("id must be a string of 1 to 128 characters of A-Z a-z 0-9 . _ : -");
        into.id = value->get_string();
    }

    void read_reply_to(job& into) {
        auto const* value = find("reply_to");
        if (!value) return;
        if (!value->is_string()) return complain("reply_to must be a string");
        std::string_view const key = value->get_string();
        auto const begins_with = [key](std::string_view prefix) {
            return key.size() > prefix.size() && key.starts_with(prefix);
        };
        bool allowed = begins_with(std::string(limits_.prefix) + ":reply:");
        if (limits_.reply_prefixes)
            allowed = allowed || std::any_of(limits_.reply_prefixes->begin(), limits_.reply_prefixes->end(),
                                             begins_with);
        if (!allowed || key.size() > most_reply_key_bytes)
            return complain("reply_to must begin with " + std::string(limits_.prefix) +
                            ":reply: or another configured prefix, and be at most 1024 bytes long");
        into.reply_to = key;
    }

    void read_metadata(job& into) {
        auto const* value = find("metadata");
        if (!value) return;
        if (!value->is_object()) return complain("metadata must be an object");
        auto const raw = raw_member(bytes_, "metadata");
        if (raw.size() > most_metadata_bytes) return complain("metadata must be at most 4096 bytes");
        into.metadata = raw;
    }

    void read_name(std::string_view name, std::string& into, bool required) {
        auto const* value = find(name);
        if (!value) {
            if (required) complain(std::string(name) + " is required");
            return;
        }
        if (!value->is_string() || value->get_string().empty() ||
            value->get_string().size() > most_name_bytes)
            return complain(std::string(name) + " must be a string of 1 to 128 bytes");
        into = value->get_string();
    }

    void read_message(job& into) {
        auto const* value = find("message");
        if (!value) return complain("message is required");
        if (!value->is_string()) return complain("message must be a string");
        if (base::is_blank(value->get_string())) return complain("message must not be blank");
        into.message = value->get_string();
    }

    void read_stream(job& into) {
        auto const* value = find("stream");
        if (!value) return;
        if (!value->is_bool()) return complain("stream must be true or false");
        into.stream = value->get_bool();
    }

    void read_deadline(job& into) {
        auto const* value = find("deadline_ms");
        if (!value) return;
        constexpr std::int64_t most = std::int64_t{365} * 24 * 3600 * 1000;
        auto const* number = value->if_int64();
        if (!number || *number <= 0 || *number > most)
            return complain(
                "deadline_ms must be a whole number of milliseconds greater than 0 and at most a year");
        into.deadline = std::chrono::milliseconds(*number);
    }

    json::object const& object_;
    std::string_view bytes_;
    job_limits const& limits_;
    job_error& error_;
};

// Steps through JSON that a parser has already accepted, so that it need not be checked again.
class json_cursor {
public:
    explicit json_cursor(std::string_view text) : text_(text) {}

    void skip_blanks() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
            ++at_;
    }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void step() { ++at_; }

    std::string_view take_value() {
        std::size_t const begin = at_;
        int depth = 0;
        do {
            char const c = peek();
            if (c == '"') {
                skip_string();
                continue;
            }
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
            ++at_;
        } while (at_ < text_.size() && (depth > 0 || !ends_scalar(begin)));
        return text_.substr(begin, at_ - begin);
    }

private:
    void skip_string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
            if (text_[at_] == '\\') ++at_;
        ++at_;
    }

    // Outside of all brackets: has the value that began at `begin` ended before the next character?
    [[nodiscard]] bool ends_scalar(std::size_t begin) const {
        char const first = text_[begin];
        if (first == '"' || first == '{' || first == '[') return true;
        char const c = peek();
        return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// Whether a JSON string (with its quotes) means `name`; escapes are rare in names, so only then is it parsed.
bool means(std::string_view quoted, std::string_view name) {
    auto const inner = quoted.substr(1, quoted.size() - 2);
    if (inner.find('\\') == std::string_view::npos) return inner == name;
    boost::system::error_code error;
    auto const value = json::parse(quoted, error);
    return !error && value.is_string() && value.get_string() == name;
}

// `error` may hold a complaint already.
base::result<job, job_error> read_fields(json::object const& object, std::string_view bytes,
                                         job_limits const& limits, job_error error) {
    error.readable = true;
    field_reader(object, bytes, limits, error).read();
    if (!error.message.empty()) return error;
    return std::move(error.partial);
}

}  // namespace

std::string_view raw_member(std::string_view object, std::string_view name) {
    std::string_view found;
    json_cursor cursor(object);
    cursor.skip_blanks();
    cursor.step();  // {
    for (;;) {
        cursor.skip_blanks();
        if (cursor.peek() == ',') {
            cursor.step();
            continue;
        }
        if (cursor.peek() != '"') return found;
        auto const key = cursor.take_value();
        cursor.skip_blanks();
        cursor.step();  // :
        cursor.skip_blanks();
        auto const value = cursor.take_value();
        if (means(key, name)) found = value;
    }
}

base::result<job, job_error> parse_job(std::string_view bytes, job_limits const& limits) {
    job_error error;
    if (bytes.size() > 4 * limits.max_bytes) {
        error.message = "the job is far too large";
        return error;
    }
    json::monotonic_resource memory;
    boost::system::error_code parse_error;
    json::value const value = json::parse(bytes, parse_error, &memory);
    if (parse_error) {
        error.message = "the job is not JSON in UTF-8: " + parse_error.message();
        return error;
    }
    auto const* object = value.if_object();
    if (!object) {
        error.message = "the job must be a JSON object";
        return error;
    }
    error.message = complaint_about_size(bytes.size(), limits);
    return read_fields(*object, bytes, limits, std::move(error));
}

base::result<job, job_error> read_job(json::object const& object, std::string_view bytes,
                                      job_limits const& limits) {
    return read_fields(object, bytes, limits, {});
}

std::string complaint_about_size(std::size_t bytes, job_limits const& limits) {
    if (bytes <= limits.max_bytes) return {};
    return "the job is " + std::to_string(bytes) + " bytes, at most " + std::to_string(limits.max_bytes) +
           " are allowed";
}

std::string default_reply_key(std::string_view prefix, std::string_view id) {
    return std::string(prefix) + ":reply:" + std::string(id);
}

}  // namespace engram::queue
