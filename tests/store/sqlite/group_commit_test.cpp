// The writer: many pieces of work in one transaction, each alone with its own fault.
#include "store_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <thread>

using namespace engram;
using namespace engram::store::test;
namespace asio = boost::asio;
using engram::store::conversation;

namespace {

using committed = store::result<store::commit_outcome>;

struct fixture {
    temporary_folder folder;
    std::string path = folder.file("engram.db");
    opened_store db{options_for(path)};
    conversation of{"ada", "s1"};
    std::promise<void> gate;
    std::promise<void> entered;
    std::vector<std::future<committed>> answers;

    void start(store::exchange what) {
        answers.push_back(asio::co_spawn(db.loop(), db->commit_exchange(std::move(what)), asio::use_future));
    }

    // Holds the writer in one piece of work until open_gate(), so that what is started then is one batch.
    void close_gate() {
        auto blocking = exchange_of(of, job("gate"));
        blocking.compose_reply = [this, opened = gate.get_future().share()](auto const&) {
            entered.set_value();
            opened.wait();
            return std::string("gate");
        };
        start(std::move(blocking));
        db.loop().restart();
        db.loop().poll();
        entered.get_future().wait();
    }

    void open_gate_and_finish() {
        db.loop().poll();
        gate.set_value();
        db.loop().run();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(store_group_commit, fixture)

BOOST_AUTO_TEST_CASE(one_piece_that_fails_fails_alone) {
    close_gate();
    for (int i = 0; i < 9; ++i) {
        auto what = exchange_of(of, job("j" + std::to_string(i)), {{"fact", std::to_string(i)}});
        if (i % 3 == 1) {
            what.compose_reply = [](auto const&) -> std::string { throw std::runtime_error("no reply"); };
        }
        start(std::move(what));
    }
    open_gate_and_finish();
    BOOST_TEST(answers[0].get().has_value());
    for (std::size_t i = 0; i < 9; ++i) {
        auto const answer = answers[i + 1].get();
        BOOST_TEST(answer.has_value() == (i % 3 != 1));
        if (answer.has_error()) BOOST_TEST((answer.error().kind == store::error_kind::internal));
    }
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_finished_job") == 7);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 14);
    BOOST_TEST(number(path, "SELECT count(*) FROM long_term_memory") == 6);
    BOOST_TEST(number(path, "SELECT window_turns FROM engram_session") == 14);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE job_id IN ('j1', 'j4', 'j7')") ==
               0);
}

BOOST_AUTO_TEST_CASE(a_job_twice_in_one_batch_is_committed_once) {
    close_gate();
    for (int i = 0; i < 4; ++i)
        start(exchange_of(of, job("same", "t" + std::to_string(i))));
    open_gate_and_finish();
    int done = 0;
    for (std::size_t i = 1; i < answers.size(); ++i) {
        auto const answer = answers[i].get();
        BOOST_REQUIRE(answer.has_value());
        done += answer->committed ? 1 : 0;
        BOOST_TEST(answer->outcome.reply == "reply same");
    }
    BOOST_TEST(done == 1);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history WHERE job_id = 'same'") == 2);
}

BOOST_AUTO_TEST_CASE(when_the_disk_fails_the_whole_batch_fails_and_nothing_of_it_stays) {
    close_gate();
    for (int i = 0; i < 6; ++i) {
        auto what = exchange_of(of, job("j" + std::to_string(i)));
        if (i == 3) {
            what.compose_reply = [](auto const&) -> std::string {
                throw store::sqlite_error(10, "disk I/O error");
            };
        }
        start(std::move(what));
    }
    open_gate_and_finish();
    BOOST_TEST(answers[0].get().has_value());
    for (std::size_t i = 1; i < answers.size(); ++i) {
        auto const answer = answers[i].get();
        BOOST_REQUIRE(answer.has_error());
        BOOST_TEST((answer.error().kind == store::error_kind::unavailable));
    }
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_finished_job") == 1);
    // The writer is whole again.
    BOOST_TEST(db.get(db->commit_exchange(exchange_of(of, job("j3")))).committed);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 4);
}

BOOST_AUTO_TEST_CASE(a_damaged_page_fails_those_alone_that_need_it) {
    close_gate();
    for (int i = 0; i < 6; ++i) {
        auto what = exchange_of(of, job("j" + std::to_string(i)));
        if (i == 2 || i == 3) {
            what.compose_reply = [](auto const&) -> std::string {
                throw store::sqlite_error(11, "database disk image is malformed");
            };
        }
        start(std::move(what));
    }
    open_gate_and_finish();
    for (std::size_t i = 0; i < 6; ++i) {
        auto const answer = answers[i + 1].get();
        bool const damaged = i == 2 || i == 3;
        BOOST_TEST(answer.has_error() == damaged);
        if (answer.has_error()) BOOST_TEST(answer.error().damaged);
    }
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_finished_job") == 5);
    BOOST_TEST(number(path, "SELECT count(*) FROM conversation_history") == 10);
    auto const seen = db.get(db->look());
    BOOST_TEST(seen.lost == "");
    BOOST_TEST(seen.damage == "the database: database disk image is malformed (SQLite code 11)");
}

BOOST_AUTO_TEST_CASE(a_transaction_takes_no_more_than_it_may) {
    temporary_folder elsewhere;
    auto with = options_for(elsewhere.file("engram.db"));
    with.max_batch = 4;
    opened_store small(with);
    std::vector<std::future<committed>> all;
    for (int i = 0; i < 50; ++i) {
        all.push_back(asio::co_spawn(
            small.loop(), small->commit_exchange(exchange_of(of, job(std::to_string(i)))), asio::use_future));
    }
    small.loop().restart();
    small.loop().run();
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const answer = all[i].get();
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST(answer->window_turns == 2 * (i + 1));  // in the order in which they were started
    }
}

BOOST_AUTO_TEST_CASE(the_results_come_on_the_loop_and_not_on_the_stores_thread) {
    std::thread::id resumed;
    auto const ask = [](store::conversations& db, store::exchange what,
                        std::thread::id& on) -> asio::awaitable<void> {
        auto const done = co_await db.commit_exchange(std::move(what));
        BOOST_TEST(done.has_value());
        on = std::this_thread::get_id();
    };
    run(db.loop(), ask(*db, exchange_of(of, job("j1")), resumed));
    BOOST_TEST((resumed == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(a_call_whose_caller_is_cancelled_completes_all_the_same) {
    asio::cancellation_signal cancel;
    bool delivered = false;
    auto const ask = [](store::conversations& db, store::exchange what, bool& got) -> asio::awaitable<void> {
        auto const done = co_await db.commit_exchange(std::move(what));
        got = done.has_value() && done->committed;
    };
    close_gate();
    asio::co_spawn(db.loop(), ask(*db, exchange_of(of, job("j1")), delivered),
                   asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
    db.loop().poll();
    cancel.emit(asio::cancellation_type::terminal);
    db.loop().poll();
    BOOST_TEST(!delivered);
    open_gate_and_finish();
    BOOST_TEST(delivered);
    BOOST_TEST(number(path, "SELECT count(*) FROM engram_finished_job WHERE job_id = 'j1'") == 1);
}

BOOST_AUTO_TEST_CASE(what_one_caller_throws_does_not_cost_the_others_their_results) {
    close_gate();
    int resumed = 0;
    auto const ask = [](store::conversations& db, store::exchange what) -> asio::awaitable<void> {
        auto const done = co_await db.commit_exchange(std::move(what));
        BOOST_TEST(done.has_value());
    };
    for (int i = 0; i < 4; ++i) {
        asio::co_spawn(db.loop(), ask(*db, exchange_of(of, job("j" + std::to_string(i)))),
                       [&resumed, i](std::exception_ptr) {
                           ++resumed;
                           if (i == 1) throw std::runtime_error("a caller's fault");
                       });
    }
    db.loop().poll();
    gate.set_value();
    BOOST_CHECK_THROW(db.loop().run(), std::runtime_error);
    db.loop().run();
    BOOST_TEST(resumed == 4);
}

BOOST_AUTO_TEST_CASE(closing_finishes_what_was_accepted) {
    temporary_folder elsewhere;
    auto const file = elsewhere.file("engram.db");
    std::vector<std::future<committed>> all;
    asio::io_context loop;
    auto closing = store::open_sqlite(options_for(file), loop.get_executor(), &words());
    for (int i = 0; i < 100; ++i) {
        all.push_back(asio::co_spawn(loop, closing->commit_exchange(exchange_of(of, job(std::to_string(i)))),
                                     asio::use_future));
    }
    loop.poll();
    closing.reset();
    BOOST_TEST(number(file, "SELECT count(*) FROM engram_finished_job") == 100);
    loop.restart();
    loop.run();
    for (auto& one : all)
        BOOST_TEST(one.get().has_value());
}

BOOST_AUTO_TEST_CASE(results_that_nobody_fetches_any_more_are_let_go) {
    temporary_folder elsewhere;
    auto loop = std::make_unique<asio::io_context>();
    auto closing =
        store::open_sqlite(options_for(elsewhere.file("engram.db")), loop->get_executor(), &words());
    auto kept = std::make_shared<int>(1);
    auto const ask = [](store::conversations& db, store::exchange what,
                        std::shared_ptr<int>) -> asio::awaitable<void> {
        auto const done = co_await db.commit_exchange(std::move(what));
        static_cast<void>(done);
    };
    for (int i = 0; i < 10; ++i) {
        asio::co_spawn(*loop, ask(*closing, exchange_of(of, job(std::to_string(i))), kept),
                       [](std::exception_ptr) {});
        asio::co_spawn(*loop, ask(*closing, exchange_of(of, job("b" + std::to_string(i))), kept),
                       asio::use_future);
    }
    loop->poll();
    closing.reset();
    BOOST_TEST(kept.use_count() == 21);
    loop.reset();
    BOOST_TEST(kept.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
