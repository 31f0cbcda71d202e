// Finds turns again, over the real store and ranking, for whoever wants to measure how well: one JSON object
// a line on standard input, one answer a line on standard output.
//
//   {"op":"add","user":U,"session":S,"id":I,"speaker":P,"text":T,"time":"YYYY-MM-DDTHH:MM:SS"}  ->
//   {"ok":true}
//   {"op":"search","user":U,"query":Q,"k":20}   -> {"ids":[I,...],"results":[{"id":I,"score":X,"why":W},...]}
//   {"op":"stats"}  -> {"turns":N,"database_bytes":N,"search_ms":{"mean":X,"p50":X,"p95":X,"p99":X,"max":X}}
//
// A text of the speaker "assistant" is the answer to the text before it, if that is of the same session; all
// other texts are the user's. "speaker" and "time" may be absent, other members are ignored. A request that
// cannot be understood is answered with {"error":...}.
#include "base/log.hpp"
#include "distribution.hpp"
#include "recall/neighbours.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "workers/chat/recollection.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace engram;
using std::chrono::steady_clock;

struct arguments {
    std::string database;
    std::string words;
    bool without_words = false;
};

base::wall_time parse_time(std::string_view text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0;
    if (std::sscanf(std::string(text).c_str(), "%d-%d-%dT%d:%d", &year, &month, &day, &hour, &minute) < 3)
        return {};
    auto const date = std::chrono::year(year) / month / day;
    if (!date.ok()) return {};
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute);
}

class evaluation {
public:
    evaluation(arguments const& given, std::string const& file)
        : texts_(given.without_words ? nullptr : workers::open_word_neighbours(given.words)),
          store_(store::open_sqlite(options_for(file), io_.get_executor(), &texts_)) {}

    json::object answer(json::object const& request) {
        std::string_view const op = request.at("op").as_string();
        if (op == "add") return add(request);
        if (op == "search") return search(request);
        if (op == "stats") return stats();
        throw std::invalid_argument("unknown op");
    }

private:
    static store::options options_for(std::string const& file) {
        store::options options;
        options.path = file;
        options.readers = 1;
        options.synchronous_full = false;
        return options;
    }

    // A message waits for its answer, which comes in the same exchange.
    json::object add(json::object const& request) {
        auto const* speaker = request.if_contains("speaker");
        bool const answer = speaker != nullptr && speaker->as_string() == "assistant";
        store::conversation of{std::string(request.at("user").as_string()),
                               std::string(request.at("session").as_string())};
        auto const follows = waiting_ && waiting_->of.user_id == of.user_id &&
                             waiting_->of.session_id == of.session_id && waiting_->turns.size() == 1;
        if (!answer || !follows) {
            flush();
            waiting_ = store::exchange{};
            waiting_->of = std::move(of);
            waiting_->at = {};
            if (auto const* time = request.if_contains("time")) waiting_->at = parse_time(time->as_string());
            auto const number = std::to_string(ids_.size());
            waiting_->job = {number, number, "-"};
            ids_.emplace_back();
        }
        waiting_->turns.push_back({answer ? store::role::assistant : store::role::user,
                                   std::string(request.at("text").as_string())});
        (answer ? ids_.back().answer : ids_.back().message) = request.at("id").as_string();
        ++added_;
        if (answer) flush();
        return {{"ok", true}};
    }

    // Not waited for: the store keeps the order, and a search waits for what came before it.
    void flush() {
        if (!waiting_) return;
        ++under_way_;
        asio::co_spawn(io_, store_->commit_exchange(std::move(*waiting_)),
                       [this](std::exception_ptr failed, store::result<store::commit_outcome> outcome) {
                           if (failed) std::rethrow_exception(failed);
                           if (!outcome) throw std::runtime_error(outcome.error().message);
                           --under_way_;
                       });
        waiting_.reset();
        settle(most_under_way);
    }

    json::object search(json::object const& request) {
        flush();
        settle(0);
        auto const* k = request.if_contains("k");
        store::search_query wanted;
        wanted.limit = k != nullptr ? k->to_number<std::size_t>() : 20;
        auto const begun = steady_clock::now();
        wanted.text = request.at("query").as_string();
        auto const found =
            wait_for(store_->find(std::string(request.at("user").as_string()), std::move(wanted), {}, {}));
        times_.add(steady_clock::now() - begun);
        json::array ids, results;
        for (auto const& [turn, rank] : found.turns) {
            auto const& of = ids_.at(std::stoul(turn.job_id));
            auto const& id = turn.what.role == store::role::assistant ? of.answer : of.message;
            ids.emplace_back(id);
            results.push_back({{"id", id}, {"score", rank.score}, {"why", rank.why}});
        }
        return {{"ids", std::move(ids)}, {"results", std::move(results)}};
    }

    json::object stats() {
        flush();
        settle(0);
        auto const totals = wait_for(store_->count({}));
        return {
            {"turns", added_}, {"database_bytes", totals.database_bytes}, {"search_ms", times_.to_json()}};
    }

    void settle(std::size_t most) {
        io_.restart();
        while (under_way_ > most)
            io_.run_one();
    }

    template <class T>
    T wait_for(asio::awaitable<store::result<T>> call) {
        std::optional<store::result<T>> got;
        asio::co_spawn(io_, std::move(call), [&](std::exception_ptr failed, store::result<T> outcome) {
            if (failed) std::rethrow_exception(failed);
            got = std::move(outcome);
        });
        io_.restart();
        while (!got)
            io_.run_one();
        if (!*got) throw std::runtime_error(got->error().message);
        return std::move(**got);
    }

    static constexpr std::size_t most_under_way = 256;

    asio::io_context io_{1};
    workers::recollection texts_;
    std::unique_ptr<store::database> store_;
    struct exchange_ids {
        std::string message, answer;
    };
    std::vector<exchange_ids> ids_;  // by job
    std::optional<store::exchange> waiting_;
    std::size_t added_ = 0, under_way_ = 0;
    bench::distribution times_;
};

int run(arguments const& given) {
    bench::scratch_folder const folder(std::filesystem::temp_directory_path());
    evaluation all(given, given.database.empty() ? (folder.path / "eval.db").string() : given.database);
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        json::object reply;
        try {
            reply = all.answer(json::parse(line).as_object());
        } catch (std::exception const& failed) {
            reply = {{"error", failed.what()}};
        }
        std::cout << json::serialize(reply) << '\n' << std::flush;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    arguments given;
    CLI::App app("recall-eval: finds turns again, as engramd does", "recall-eval");
    app.add_option("--database", given.database, "keep the database in this file (default: a temporary one)");
    app.add_option("--words", given.words, "the table of neighbouring words (default: as installed)");
    app.add_flag("--without-words", given.without_words, "search without it");
    CLI11_PARSE(app, argc, argv);
    base::log_set_level(base::log_level::off);
    try {
        return run(given);
    } catch (std::exception const& failed) {
        std::cerr << "recall-eval: " << failed.what() << '\n';
        return 1;
    }
}
