#include "worker.hpp"

#include "queue/job.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace engram::test {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

std::vector<std::string> lines_of(std::string const& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

queue::settlement answered(std::string const& body, std::string reply) {
    auto const read = queue::parse_job(body, {"engram"});
    auto const job = read ? *read : read.error().partial;
    auto const to = !job.reply_to.empty() ? job.reply_to
                    : job.id.empty()      ? ""
                                          : queue::default_reply_key("engram", job.id);
    return {job.id, to, std::move(reply), std::nullopt};
}

}  // namespace

std::string turn::id() const {
    auto const read = queue::parse_job(what.body, {"engram"});
    return read ? read->id : read.error().partial.id;
}

void turn::answer(std::string reply) {
    settle(answered(what.body, std::move(reply)));
}

void turn::settle(queue::settlement with) {
    outcome = std::move(with);
    decided = true;
    changed.notify_all();
}

void turn::give_back() {
    decided = true;
    changed.notify_all();
}

void turn::postpone(std::chrono::milliseconds pause, std::string reason) {
    later = {pause, std::move(reason)};
    decided = true;
    changed.notify_all();
}

void turn::blow_up() {
    fails = true;
    decided = true;
    changed.notify_all();
}

worker::worker(loop& on, queue::options options)
    : queue(std::move(options), on.io.get_executor()),
      on_(on),
      changed_(on.io.get_executor()),
      stopping_(on.io.get_executor()) {}

worker::~worker() {
    stopping_.spawn("stop", queue.drain(steady_clock::now()));
    on_.finish(stopping_);
}

void worker::begin() {
    queue.start(
        [this](queue::delivery what, queue::reply_stream& reply) { return work(std::move(what), reply); });
}

task<void> worker::start() {
    begin();
    bool const ready = co_await queue.wait_until_ready(steady_clock::now() + most_patience);
    if (!ready) throw std::runtime_error("the worker has not come up");
}

task<std::shared_ptr<turn>> worker::next() {
    auto const until = steady_clock::now() + most_patience;
    while (arrived_.empty()) {
        bool const woken = co_await changed_.wait_until(until);
        if (!woken) throw std::runtime_error("no job came");
    }
    auto first = std::move(arrived_.front());
    arrived_.pop_front();
    co_return first;
}

task<void> worker::work(queue::delivery what, queue::reply_stream& reply) {
    struct counting {
        worker& self;
        explicit counting(worker& w) : self(w) {
            self.most_handlers_ = std::max(self.most_handlers_, ++self.handlers_);
        }
        ~counting() { --self.handlers_; }
    } const count(*this);
    if (automatic_) {
        if (each_) each_(what);
        for (int i = 0; i < 3; ++i)
            co_await asio::post(on_.io, asio::use_awaitable);
        reply.end(answered(what.body, "{}"));
        co_return;
    }
    auto const mine = std::make_shared<turn>(on_, std::move(what));
    arrived_.push_back(mine);
    changed_.notify_all();
    struct leaving {
        turn& of;
        ~leaving() {
            of.ended = true;
            of.cancelled = !of.decided;
            of.changed.notify_all();
        }
    } const end{*mine};
    while (!mine->decided)
        co_await mine->changed.wait();
    if (mine->fails) throw std::runtime_error("a handler that the test lets fail");
    if (mine->outcome) reply.end(std::move(*mine->outcome));
    if (mine->later) reply.postpone(std::move(*mine->later));
}

queue::options queue_fixture::options(std::string url) const {
    queue::options made;
    made.server = redis_at(url.empty() ? server.url() : std::move(url), std::chrono::seconds(5));
    made.lease = std::chrono::seconds(120);
    return made;
}

void queue_fixture::push(std::string const& user, std::string const& session, std::string const& id) {
    std::string job = R"({"user_id":")" + user + "\"";
    if (!session.empty()) job += R"(,"session_id":")" + session + "\"";
    push(job + R"(,"id":")" + id + R"(","message":"hi"})");
}

task<void> queue_fixture::replied(std::string id) {
    co_await until("the reply of " + id,
                   [&] { return server.command({"LLEN", "engram:reply:" + id}) != "0"; });
}

std::string queue_fixture::keys() {
    auto names = lines_of(server.command({"KEYS", "*"}));
    std::sort(names.begin(), names.end());
    std::string text;
    for (auto const& name : names)
        if (!name.starts_with("engram:reply:") && !name.starts_with("engram:status:")) text += name + "\n";
    return text;
}

std::map<std::string, std::string> queue_fixture::everything() {
    std::map<std::string, std::string> contents;
    for (auto const& name : lines_of(server.command({"KEYS", "*"})))
        if (name != "engram:instances" && !name.starts_with("engram:status:"))
            contents[name] = server.command({"DUMP", name});
    return contents;
}

std::map<std::string, std::string> queue_fixture::dead_letter() {
    BOOST_REQUIRE(server.command({"XLEN", "engram:dead"}) == "1");
    auto const lines = lines_of(server.command({"XRANGE", "engram:dead", "-", "+"}));
    std::map<std::string, std::string> fields;
    for (std::size_t i = 1; i + 1 < lines.size(); i += 2)
        fields[lines[i]] = lines[i + 1];
    return fields;
}

long queue_fixture::calls(std::string const& command) {
    auto const statistics = server.command({"INFO", "commandstats"});
    auto const name = "cmdstat_" + command + ":calls=";
    auto const at = statistics.find(name);
    return at == std::string::npos ? 0 : std::stol(statistics.substr(at + name.size()));
}

}  // namespace engram::test
