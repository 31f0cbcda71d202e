#include "workers/admin/admin_request.hpp"

#include "queue/job_reading.hpp"
#include "queue/loose_members.hpp"
#include "queue/pushed_json.hpp"
#include "workers/characters.hpp"
#include "workers/chat/tag_scan.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace engram::workers {

namespace json = boost::json;

namespace {

constexpr std::size_t most_text_bytes = 8'000;     // of a memory, as the prompt takes it, and of a query
constexpr std::size_t most_cursor_bytes = 16'384;  // it may hold a session's id of older software
constexpr std::size_t page_limit = 50;
constexpr std::size_t search_limit = 10;
constexpr std::int64_t most_limit = 500;

struct op_name {
    std::string_view name;
    admin_op op;
};
constexpr std::array<op_name, 13> op_names{{{"memory.list", admin_op::memory_list},
                                            {"memory.search", admin_op::memory_search},
                                            {"memory.add", admin_op::memory_add},
                                            {"memory.update", admin_op::memory_update},
                                            {"memory.history", admin_op::memory_history},
                                            {"memory.restore", admin_op::memory_restore},
                                            {"memory.delete", admin_op::memory_delete},
                                            {"session.list", admin_op::session_list},
                                            {"session.history", admin_op::session_history},
                                            {"session.delete", admin_op::session_delete},
                                            {"user.export", admin_op::user_export},
                                            {"user.forget", admin_op::user_forget},
                                            {"stats", admin_op::stats}}};

template <class Names, class Name>
std::string enumerate(Names const& names, Name const& name) {
    std::string list;
    for (auto const& one : names) {
        if (!list.empty()) list += ", ";
        list += name(one);
    }
    return list;
}

// A memory is one line: what breaks lines, or is no character to be seen, becomes a blank.
std::string one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        auto const control = control_length(text);
        out += control > 0 ? ' ' : text[0];
        text.remove_prefix(std::max<std::size_t>(control, 1));
    }
    return std::string(trim_blanks(out));
}

// Takes the digits of a whole number from the front.
bool take_number(std::string_view& text) {
    std::int64_t number = 0;
    if (text.empty() || text[0] == '-') return false;
    auto const parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    return true;
}

// Whether a result of this operation can have had it, as store::memories makes them.
bool is_cursor(std::string_view text, admin_op op) {
    if (op != admin_op::user_export) return take_number(text) && text.empty();
    if (text.empty()) return false;
    char const kind = text[0];
    text.remove_prefix(1);
    if (!take_number(text)) return false;
    return kind == 't' ? text.starts_with(':') : (kind == 'm' || kind == 'u') && text.empty();
}

admin_op const* find_op(std::string_view name) {
    auto const found = std::find_if(op_names.begin(), op_names.end(),
                                    [name](op_name const& one) { return one.name == name; });
    return found == op_names.end() ? nullptr : &found->op;
}

// Takes the fields of a request one after the other; the first complaint is kept.
class field_reader {
public:
    field_reader(json::object const& object, queue::job envelope, admin_limits const& limits,
                 admin_complaint& complaint)
        : object_(object),
          envelope_(std::move(envelope)),
          limits_(limits),
          complaint_(complaint),
          into_(complaint.partial) {}

    void read() {
        read_address();
        read_op();
        if (!complaint_.has_op) return;
        read_name("user_id", into_.user_id, envelope_.user_id, into_.op != admin_op::stats);
        read_own_fields();
    }

private:
    json::value const* find(std::string_view name) const {
        auto const* value = object_.if_contains(name);
        return value && !value->is_null() ? value : nullptr;
    }

    void complain(std::string message) {
        if (complaint_.message.empty()) complaint_.message = std::move(message);
    }

    // The address of a request is that of a job: what a job's reader left empty breaks its rules.
    void read_address() {
        into_.id = std::move(envelope_.id);
        if (into_.id.empty() && find("id"))
            complain("id must be a string of 1 to 128 characters of A-Z a-z 0-9 . _ : -");
        into_.reply_to = std::move(envelope_.reply_to);
        if (into_.reply_to.empty() && find("reply_to"))
            complain("reply_to must be a string that begins with " + std::string(limits_.prefix) +
                     ":reply: or another configured prefix, and be at most 1024 bytes long");
        if (into_.reply_to.empty() && !into_.id.empty())
            into_.reply_to = queue::default_reply_key(limits_.prefix, into_.id);
    }

    void read_op() {
        auto const* value = find("op");
        auto const* found = value && value->is_string() ? find_op(value->get_string()) : nullptr;
        if (found == nullptr)
            return complain(std::string(value ? "op must be one of " : "op is required: one of ") +
                            enumerate(op_names, [](op_name const& one) { return one.name; }));
        into_.op = *found;
        complaint_.has_op = true;
    }

    void read_own_fields() {
        switch (into_.op) {
            case admin_op::memory_list:
                read_type();
                read_flag("past", into_.past);
                return read_page();
            case admin_op::memory_search:
                read_query();
                return read_limit(search_limit);
            case admin_op::memory_add:
                read_content(true);
                read_type();
                return read_pinned();
            case admin_op::memory_update:
                read_memory_id();
                read_content(false);
                read_type();
                read_pinned();
                if (!find("content") && !find("type") && !find("pinned"))
                    complain("content, type or pinned is required: what is to change");
                return;
            case admin_op::memory_history:
            case admin_op::memory_restore:
                return read_memory_id();
            case admin_op::memory_delete:
                read_memory_id();
                return read_flag("dry_run", into_.dry_run);
            case admin_op::session_history:
                read_name("session_id", into_.session_id, envelope_.session_id, true);
                return read_page();
            case admin_op::session_delete:
                read_name("session_id", into_.session_id, envelope_.session_id, true);
                return read_flag("memories", into_.memories);
            case admin_op::session_list:
            case admin_op::user_export:
                return read_page();
            case admin_op::user_forget:
            case admin_op::stats:
                return;
        }
    }

    void read_name(std::string const& name, std::string& into, std::string& valid, bool required) {
        into = std::move(valid);
        if (!into.empty()) return;
        if (find(name)) return complain(name + " must be a string of 1 to 128 bytes");
        if (required) complain(name + " is required");
    }

    void read_page() {
        read_limit(page_limit);
        auto const* value = find("cursor");
        if (!value) return;
        if (!value->is_string() || value->get_string().size() > most_cursor_bytes ||
            !is_cursor(value->get_string(), into_.op))
            return complain("cursor must be a string that an earlier result had as its cursor");
        into_.cursor = value->get_string();
    }

    void read_limit(std::size_t otherwise) {
        into_.limit = otherwise;
        auto const* value = find("limit");
        if (!value) return;
        auto const* number = value->if_int64();
        if (!number || *number < 1 || *number > most_limit)
            return complain("limit must be a whole number from 1 to " + std::to_string(most_limit));
        into_.limit = static_cast<std::size_t>(*number);
    }

    // Not every language has whole numbers of 64 bits, so digits in a string will do.
    void read_memory_id() {
        auto const* value = find("memory_id");
        if (!value) return complain("memory_id is required");
        std::int64_t number = 0;
        if (auto const* given = value->if_int64()) {
            number = *given;
        } else if (auto const* digits = value->if_string()) {
            auto const* const end = digits->data() + digits->size();
            auto const parsed = std::from_chars(digits->data(), end, number);
            if (parsed.ec != std::errc() || parsed.ptr != end) number = 0;
        }
        if (number <= 0) return complain("memory_id must be a whole number greater than 0");
        into_.memory_id = number;
    }

    void read_query() {
        auto const* value = find("query");
        if (!value) return complain("query is required");
        if (!value->is_string()) return complain("query must be a string");
        if (queue::is_lost(value->get_string())) return complain("query must not be blank");
        if (value->get_string().size() > most_text_bytes)
            return complain("query must be at most " + std::to_string(most_text_bytes) + " bytes");
        into_.query = value->get_string();
    }

    void read_content(bool required) {
        auto const* value = find("content");
        if (!value) {
            if (required) complain("content is required");
            return;
        }
        if (!value->is_string()) return complain("content must be a string");
        auto line = one_line(value->get_string());
        if (queue::is_lost(line)) return complain("content must not be blank");
        if (line.size() > most_text_bytes)
            return complain("content must be at most " + std::to_string(most_text_bytes) + " bytes");
        into_.content = std::move(line);
    }

    void read_type() {
        auto const* value = find("type");
        if (!value) return;
        if (!value->is_string() || !limits_.types->find(value->get_string()))
            return complain("type must be one of " +
                            enumerate(limits_.types->names(), [](std::string const& one) { return one; }));
        into_.type = value->get_string();
    }

    void read_pinned() {
        bool pinned = false;
        read_flag("pinned", pinned);
        if (find("pinned")) into_.pinned = pinned;
    }

    void read_flag(std::string const& name, bool& into) {
        auto const* value = find(name);
        if (!value) return;
        if (!value->is_bool()) return complain(name + " must be true or false");
        into = value->get_bool();
    }

    json::object const& object_;
    queue::job envelope_;
    admin_limits const& limits_;
    admin_complaint& complaint_;
    admin_request& into_;
};

// Of a request that is no JSON object: whom to tell, and what it asked for, as far as that can be read.
void read_address(std::string_view bytes, admin_limits const& limits, admin_complaint& complaint) {
    auto address = queue::find_address(bytes, {limits.prefix, limits.reply_prefixes, limits.max_bytes});
    auto& into = complaint.partial;
    into.reply_to = std::move(address.reply_to);
    if (into.reply_to.empty() && !address.id.empty())
        into.reply_to = queue::default_reply_key(limits.prefix, address.id);
    into.id = std::move(address.id);
    into.user_id = std::move(address.user_id);
    auto const texts = queue::find_texts(bytes, {"op"});
    auto const* op = texts.empty() ? nullptr : find_op(texts.begin()->second);
    complaint.has_op = op != nullptr;
    if (op != nullptr) into.op = *op;
}

}  // namespace

std::string_view name_of(admin_op op) {
    auto const found =
        std::find_if(op_names.begin(), op_names.end(), [op](op_name const& one) { return one.op == op; });
    return found->name;
}

base::result<admin_request, admin_complaint> parse_admin_request(std::string_view bytes,
                                                                 admin_limits const& limits) {
    admin_complaint complaint;
    auto const most_bytes = 4 * limits.max_bytes;
    queue::pushed_json pushed;
    if (bytes.size() > most_bytes)
        complaint.message = "the request is far too large";
    else
        pushed = queue::parse_pushed(bytes);
    if (!pushed.problem.empty()) complaint.message = "the request is not JSON in UTF-8: " + pushed.problem;
    auto const* object = pushed.value.if_object();
    if (!object) {
        if (complaint.message.empty()) complaint.message = "the request must be a JSON object";
        read_address(bytes.substr(0, most_bytes), limits, complaint);
        return complaint;
    }
    if (bytes.size() > limits.max_bytes)
        complaint.message = "the request is " + std::to_string(bytes.size()) + " bytes, at most " +
                            std::to_string(limits.max_bytes) + " are allowed";
    std::string_view const text = pushed.mended.empty() ? bytes : std::string_view(pushed.mended);
    auto envelope = queue::read_job(*object, text, {limits.prefix, limits.reply_prefixes, limits.max_bytes});
    field_reader(*object, envelope ? std::move(*envelope) : std::move(envelope.error().partial), limits,
                 complaint)
        .read();
    if (!complaint.message.empty()) return complaint;
    return std::move(complaint.partial);
}

}  // namespace engram::workers
