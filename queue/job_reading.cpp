#include "queue/job_reading.hpp"

#include "queue/loose_members.hpp"
#include "queue/pushed_json.hpp"

#include <boost/json/object.hpp>

#include <utility>

namespace engram::queue {

namespace json = boost::json;

namespace {

base::result<job, job_error> read_mended(pushed_json const& pushed, std::string_view bytes,
                                         job_limits const& limits) {
    std::string_view const text = pushed.mended.empty() ? bytes : std::string_view(pushed.mended);
    auto read = read_job(pushed.value.get_object(), text, limits);
    auto problem = complaint_about_size(bytes.size(), limits);
    if (problem.empty() && read && is_lost(read->message)) problem = "message must not be blank";
    if (problem.empty()) return read;
    return job_error{std::move(problem), true, read ? std::move(*read) : read.error().partial};
}

}  // namespace

job find_address(std::string_view bytes, job_limits const& limits) {
    json::object object;
    for (auto const& [name, text] : find_texts(bytes, {"id", "reply_to", "user_id", "session_id"}))
        object[name] = text;
    auto read = read_job(object, "{}", limits);
    return read ? std::move(*read) : read.error().partial;
}

base::result<job, job_error> read_any_job(std::string_view bytes, job_limits const& limits) {
    auto read = parse_job(bytes, limits);
    if (read || read.error().readable) return read;
    auto error = read.error();
    auto const most_bytes = 4 * limits.max_bytes;
    if (bytes.size() <= most_bytes) {
        auto const pushed = parse_pushed(bytes);
        if (pushed.value.is_object()) return read_mended(pushed, bytes, limits);
        error.message = pushed.problem.empty() ? "the job must be a JSON object"
                                               : "the job is not JSON in UTF-8: " + pushed.problem;
    }
    error.partial = find_address(bytes.substr(0, most_bytes), limits);
    return error;
}

}  // namespace engram::queue
