#include "ctl/chat.hpp"

#include "base/random_id.hpp"
#include "base/utf8.hpp"
#include "ctl/complaint.hpp"
#include "ctl/display.hpp"
#include "queue/job.hpp"
#include "queue/reply.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <sysexits.h>
#include <thread>
#include <unistd.h>

namespace engram::ctl {

namespace json = boost::json;
using std::chrono::steady_clock;

namespace {

// A turning bar while an answer is awaited, on a terminal only.
class waiting_indicator {
public:
    waiting_indicator() : shown_(isatty(STDOUT_FILENO) == 1) {}
    ~waiting_indicator() {
        if (shown_ && frame_ > 0) std::cout << "\b \b" << std::flush;
    }
    void tick() {
        if (!shown_) return;
        static constexpr char frames[] = {'|', '/', '-', '\\'};
        if (frame_ > 0) std::cout << '\b';
        std::cout << frames[frame_++ % 4] << std::flush;
    }

private:
    bool shown_;
    unsigned frame_ = 0;
};

constexpr std::chrono::milliseconds pause{250};  // while Redis is not ready

std::string make_job(chat_request const& request, std::string const& id, std::string const& message) {
    json::object job;
    job["id"] = id;
    job["user_id"] = request.user;
    job["session_id"] = request.session;
    job["message"] = message;
    return json::serialize(job);
}

// Pushes the job and waits for its reply. A connection that breaks may have taken the reply with it: the job
// is pushed again under the same id, which the daemon answers from its store.
std::optional<std::string> ask(connection& redis, chat_request const& request, std::string const& message) {
    auto const id = "ctl-" + base::random_hex(12);
    auto const job = make_job(request, id, base::to_utf8(message));
    auto const jobs_key = request.prefix + ":jobs";
    auto const reply_key = queue::default_reply_key(request.prefix, id);
    auto const until = steady_clock::now() + request.timeout;
    waiting_indicator indicator;
    bool pushed = false;
    std::string trouble;
    while (steady_clock::now() < until) {
        if (!pushed) {
            auto const push = redis.call({"LPUSH", jobs_key, job}, {}, [&] { indicator.tick(); });
            if (!push && !is_passing(push.error())) {
                complain("Redis refused the message: " + push.error().message);
                return std::nullopt;
            }
            if (!push && push.error().kind == redis::error_kind::refused) std::this_thread::sleep_for(pause);
            pushed = push.has_value();
            if (!push) trouble = push.error().message;
            continue;
        }
        auto const popped =
            redis.call({"BLPOP", reply_key, "2"}, std::chrono::seconds(2), [&] { indicator.tick(); });
        if (!popped) {
            if (!is_passing(popped.error())) {
                complain("Redis refused to give the reply: " + popped.error().message);
                return std::nullopt;
            }
            trouble = popped.error().message;
            pushed = false;
        } else if (popped->items.size() == 2) {
            return popped->items[1].text;
        }
    }
    complain("no answer within " + std::to_string(request.timeout.count()) + " s" +
             (trouble.empty() ? "; is engramd running on this Redis and prefix?" : ": " + trouble));
    return std::nullopt;
}

// Prints the answer. Returns an exit code: 0; EX_TEMPFAIL if there was none or it is worth another try,
// EX_DATAERR if the same message would be refused again.
int converse(connection& redis, chat_request const& request, std::string const& message,
             std::string_view label) {
    if (!request.json) std::cout << label << std::flush;
    auto const answer = ask(redis, request, message);
    if (!answer) {
        if (!request.json) std::cout << '\n';
        return EX_TEMPFAIL;
    }
    auto const reply = queue::parse_reply(*answer);
    if (request.json) {
        std::cout << *answer << std::endl;
    } else if (!reply || !reply->ok) {
        std::cout << '\n';
        complain(reply ? reply->error_type + ": " + reply->error_message : "the reply cannot be read");
    }
    if (!reply || !reply->ok) return reply && reply->retryable ? EX_TEMPFAIL : EX_DATAERR;
    if (request.json) return EX_OK;
    if (reply->reply.empty())
        std::cout << "(no text; stop reason: " << safe_text(reply->stop_reason) << ")" << std::endl;
    else
        std::cout << safe_lines(reply->reply) << std::endl;
    return EX_OK;
}

std::string trimmed(std::string line) {
    auto const blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!line.empty() && blank(line.back()))
        line.pop_back();
    line.erase(line.begin(), std::find_if_not(line.begin(), line.end(), blank));
    return line;
}

}  // namespace

int run_chat(connection& redis, chat_request request) {
    bool const typed = isatty(STDIN_FILENO) == 1;
    if (request.session.empty()) request.session = "chat-" + base::random_hex(6);
    if (!request.json) std::cout << "Session: " << request.session << " (quit ends it)" << std::endl;
    int status = EX_OK;
    std::string line;
    for (;;) {
        if (!request.json) std::cout << "You: " << std::flush;
        if (!std::getline(std::cin, line)) break;
        line = trimmed(std::move(line));
        if (!typed && !request.json) std::cout << line << std::endl;
        if (line == "quit") return status;
        if (base::is_blank(line)) continue;
        status = converse(redis, request, line, "Assistant: ");
    }
    if (!request.json) std::cout << std::endl;
    return status;
}

int run_send(connection& redis, chat_request request, std::string const& message) {
    if (request.session.empty()) request.session = "chat-" + base::random_hex(6);
    return converse(redis, request, message, "");
}

}  // namespace engram::ctl
