#include "queue/cancel_list.hpp"

#include "base/log.hpp"
#include "queue/pushed_json.hpp"
#include "queue/user_keys.hpp"

#include <boost/json/object.hpp>

namespace engram::queue {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t longest_entry = 4'096;
constexpr std::size_t jobs_a_round = 100;
constexpr int most_rounds = 5;
constexpr char why[] = "the job was cancelled";

std::string text_of(json::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

cancel_list::cancel_list(options const& options, redis::client& connection)
    : options_(options), connection_(connection), key_(options.prefix + ":cancel") {}

asio::awaitable<void> cancel_list::carry_out() {
    for (;;) {
        auto const entry = co_await connection_.command({"LINDEX", key_, "-1"});
        if (!entry) {
            trouble_.note(entry.error(), "looking for jobs to be cancelled");
            co_return;
        }
        trouble_.clear();
        if (!entry->is_text()) co_return;
        wanted what;
        bool carried_out = true;
        if (read(entry->text, what))
            carried_out = co_await cancel(what);
        else
            base::log_warn("a wish to cancel a job cannot be read, and is dropped",
                           {{"list", key_}, {"bytes", entry->text.size()}});
        if (!carried_out) co_return;
        auto const removed = co_await connection_.command({"LREM", key_, "-1", entry->text});
        if (!removed) {
            trouble_.note(removed.error(), "removing a wish to cancel a job");
            co_return;
        }
    }
}

bool cancel_list::read(std::string const& entry, wanted& into) {
    if (entry.size() > longest_entry) return false;
    auto const pushed = parse_pushed(entry);
    auto const* object = pushed.value.if_object();
    if (!object) return false;
    into.user = text_of(*object, "user_id");
    into.id = text_of(*object, "id");
    return !into.user.empty() && !into.id.empty();
}

// Whether all that waited has ended. If not, the next beat of the heart goes on.
asio::awaitable<bool> cancel_list::cancel(wanted const& what) {
    for (int round = 0; round < most_rounds; ++round) {
        auto const again = co_await cancel_once(what);
        if (!again) {
            trouble_.note(again.error(), "cancelling a job");
            co_return false;
        }
        if (!*again) co_return true;
    }
    co_return false;
}

// Whether there may be more: a job has moved meanwhile, or there are very many.
asio::awaitable<redis::result<bool>> cancel_list::cancel_once(wanted const& what) {
    auto const found =
        co_await find_user_jobs(connection_, options_.prefix, what.user, jobs_a_round, what.id);
    if (!found) co_return found.error();
    job_limits const limits{options_.prefix, &options_.reply_prefixes, options_.max_job_bytes};
    bool more = found->size() == jobs_a_round;
    for (auto const& one : *found) {
        if (one.is_request()) continue;
        auto last = farewell_to(one, limits, why);
        auto const done = co_await cancel_user_job(connection_, options_, one, std::move(last.reply_to),
                                                   std::move(last.reply), running::is_left_alone);
        if (!done) co_return done.error();
        if (*done) {
            ++cancelled_;
            base::log_info("a job was cancelled", {{"job", what.id}, {"user", what.user}});
        } else if (one.place != job_place::lane) {
            more = true;
        }
    }
    co_return more;
}

}  // namespace engram::queue
