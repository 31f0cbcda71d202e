// Ordinary coroutine code that compilers are known to have got wrong without a word: objects destroyed twice
// or never, bodies that hang. It fails with such a compiler, whatever the build system believed about it.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;

// Counts births and deaths; a copy destroyed twice or at another address than it was made shows.
class counted {
public:
    static inline int alive = 0;
    static inline int misplaced = 0;

    explicit counted(std::string text) : text_(std::move(text)), self_(this) { ++alive; }
    counted(counted const& other) : text_(other.text_), self_(this) { ++alive; }
    counted(counted&& other) noexcept : text_(std::move(other.text_)), self_(this) { ++alive; }
    counted& operator=(counted const&) = delete;
    ~counted() {
        --alive;
        if (self_ != this) ++misplaced;
    }
    std::string const& text() const { return text_; }

private:
    std::string text_;
    counted const* self_;
};

struct aggregate {
    counted first;
    std::vector<counted> rest;
    std::optional<counted> last;
};

std::string const lengthy = "longer than any small string optimization holds";

asio::awaitable<void> step() {
    auto const executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
}

asio::awaitable<std::string> read(aggregate value) {
    co_await step();
    co_return value.first.text() + (value.last ? value.last->text() : "");
}

asio::awaitable<bool> holds(bool value) {
    co_await step();
    co_return value;
}

asio::awaitable<std::string> echo(std::string text) {
    co_await step();
    co_return text;
}

asio::awaitable<std::string> aggregate_temporary() {
    co_return co_await read(aggregate{counted(lengthy), {counted("b"), counted(lengthy)}, counted("c")});
}

asio::awaitable<std::string> condition_at_the_top() {
    if (co_await holds(true)) co_return lengthy;
    co_return "";
}

asio::awaitable<std::string> ternary_around_an_await() {
    counted const here(lengthy);
    auto const text = co_await holds(true) ? co_await echo(here.text()) : co_await echo(std::string("no"));
    co_return text;
}

asio::awaitable<std::string> ternary_argument() {
    bool const yes = co_await holds(true);
    co_return co_await echo(yes ? lengthy : std::string("no"));
}

asio::awaitable<std::string> capturing_lambda_in_the_statement() {
    counted const captured(lengthy);
    co_return co_await [captured]() -> asio::awaitable<std::string> {
        co_await step();
        co_return captured.text();
    }();
}

asio::awaitable<std::string> exception_through_awaits() {
    counted const here(lengthy);
    try {
        co_await [](counted value) -> asio::awaitable<void> {
            co_await step();
            throw std::runtime_error(value.text());
        }(counted(lengthy));
    } catch (std::runtime_error const& e) {
        co_return e.what();
    }
    co_return "";
}

asio::awaitable<std::string> loop_with_a_temporary_each_round() {
    std::string last;
    for (int i = 0; i < 10; ++i)
        last = co_await read({counted(lengthy), {counted("x")}, std::nullopt});
    co_return last;
}

std::string run(asio::awaitable<std::string> task) {
    asio::io_context io;
    std::string result;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, std::string value) {
        failure = e;
        result = std::move(value);
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return result;
}

void check(asio::awaitable<std::string> task, std::string const& expected) {
    counted::misplaced = 0;
    BOOST_CHECK_EQUAL(run(std::move(task)), expected);
    BOOST_CHECK_EQUAL(counted::alive, 0);
    BOOST_CHECK_EQUAL(counted::misplaced, 0);
}

BOOST_AUTO_TEST_SUITE(coroutine_canaries)

BOOST_AUTO_TEST_CASE(an_aggregate_temporary_lives_once) {
    check(aggregate_temporary(), lengthy + "c");
}
BOOST_AUTO_TEST_CASE(an_await_in_the_first_condition_returns) {
    check(condition_at_the_top(), lengthy);
}
BOOST_AUTO_TEST_CASE(a_ternary_around_awaits_takes_one_branch) {
    check(ternary_around_an_await(), lengthy);
}
BOOST_AUTO_TEST_CASE(a_ternary_argument_lives_once) {
    check(ternary_argument(), lengthy);
}
BOOST_AUTO_TEST_CASE(a_captured_lambda_lives_until_its_coroutine_ends) {
    check(capturing_lambda_in_the_statement(), lengthy);
}
BOOST_AUTO_TEST_CASE(an_exception_destroys_what_it_passes_once) {
    check(exception_through_awaits(), lengthy);
}
BOOST_AUTO_TEST_CASE(temporaries_of_a_loop_are_destroyed_each_round) {
    check(loop_with_a_temporary_each_round(), lengthy);
}

BOOST_AUTO_TEST_CASE(a_coroutine_dropped_half_way_destroys_what_it_holds) {
    {
        asio::io_context io;
        asio::co_spawn(io, aggregate_temporary(), [](std::exception_ptr, std::string const&) {});
        while (counted::alive == 0 && io.poll_one() > 0) {
        }
        BOOST_CHECK_GT(counted::alive, 0);
    }
    BOOST_CHECK_EQUAL(counted::alive, 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
