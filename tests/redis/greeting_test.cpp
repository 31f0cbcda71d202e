// The first words on a connection: what a server may refuse, and what it may not.
#include "redis/greeting.hpp"

#include "net/connector.hpp"
#include "support/loop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace engram;
using namespace engram::test;
using asio::ip::tcp;
using std::chrono::steady_clock;

// By the first word of the command: what the server answers, without the end of the line.
using answers = std::map<std::string, std::string>;

std::string const unknown = "-ERR unknown command 'X', with args beginning with: ";
std::string const misconf =
    "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.";
std::string const well = "well";

answers usual() {
    return {{"AUTH", "+OK"},
            {"SELECT", "+OK"},
            {"CLIENT", "+OK"},
            {"PING", "+PONG"},
            {"CLUSTER", "-ERR This instance has cluster support disabled"},
            {"ROLE", "*1\r\n$6\r\nmaster"}};
}

struct fixture : loop {
    std::vector<std::string> asked;  // by the last connection

    task<void> serve(tcp::acceptor& acceptor, answers with) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        redis::resp_reader commands;
        std::string unread(4096, '\0');
        for (;;) {
            auto const read = co_await socket.async_read_some(asio::buffer(unread), asio::use_awaitable);
            commands.feed({unread.data(), read});
            for (auto one = commands.next(); one && *one; one = commands.next()) {
                asked.push_back((*one)->items[0].text);
                auto const said = with.at(asked.back()) + "\r\n";
                co_await asio::async_write(socket, asio::buffer(said), asio::use_awaitable);
            }
        }
    }

    static task<void> meet(std::string url, redis::greeting& said) {
        auto const until = steady_clock::now() + most_patience;
        auto const address = redis::parse_url(url);
        net::connector const connector(false, "");
        auto link = co_await connector.connect(*address, until);
        if (!link) throw std::runtime_error(link.error());
        redis::resp_reader reader;
        said = co_await redis::greet(**link, reader, *address, "test", until);
    }

    // What is made of a server that answers so. `login` and `db` are those of the URL.
    redis::greeting greeted(answers const& odd, std::string const& login = "", std::string const& db = "") {
        asked.clear();
        auto all = usual();
        for (auto const& [command, answer] : odd)
            all[command] = answer;
        tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
        base::task_group tasks(io.get_executor());
        tasks.spawn("server", serve(acceptor, std::move(all)));
        redis::greeting said;
        run(meet("redis://" + login + "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + db,
                 said));
        end(tasks);
        return said;
    }

    // Its problem, or that there is none.
    std::string judged(answers const& odd) {
        auto const said = greeted(odd);
        return said.problem.empty() ? well : said.problem;
    }
};

char const* const courtesies[] = {"CLIENT", "PING", "ROLE", "CLUSTER"};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(redis_greetings, fixture)

BOOST_AUTO_TEST_CASE(a_usual_server_is_asked_for_its_state_and_nothing_is_remarked) {
    auto const said = greeted({});
    BOOST_TEST(said.problem.empty(), said.problem);
    BOOST_TEST(said.remarks.empty());
    BOOST_TEST(asked == (std::vector<std::string>{"CLIENT", "PING", "CLUSTER", "ROLE"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_a_courtesy_can_be_used) {
    for (auto const* const command : courtesies)
        for (auto const& refusal :
             {unknown, misconf, std::string("-ERR unknown subcommand 'SETNAME'. Try CLIENT HELP."),
              std::string("-ERR something of a proxy"), std::string("-NOPERM this user has no permissions"),
              std::string("-OOM command not allowed when used memory > 'maxmemory'."),
              std::string("-NOREPLICAS Not enough good replicas to write."), std::string("-X"),
              std::string("-")})
            BOOST_TEST(judged({{command, refusal}}) == well, command << refusal);
    BOOST_TEST(judged({{"CLIENT", unknown}, {"PING", unknown}, {"ROLE", unknown}, {"CLUSTER", unknown}}) ==
               well);
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_everything_cannot) {
    for (auto const* const command : courtesies)
        for (std::string const refusal :
             {"LOADING Redis is loading the dataset in memory", "NOAUTH Authentication required.",
              "WRONGPASS invalid username-password pair", "MASTERDOWN Link with MASTER is down",
              "BUSY Redis is busy running a script.", "DENIED Redis is running in protected mode",
              "ERR max number of clients reached"})
            BOOST_TEST(judged({{command, "-" + refusal}}).starts_with(command + (": " + refusal)), command);
    BOOST_TEST(judged({{"ROLE", "*1\r\n$5\r\nslave"}}) == "it is a replica, which cannot be written to");
}

BOOST_AUTO_TEST_CASE(a_server_with_too_many_clients_is_told_as_that_wherever_it_says_so) {
    answers full;
    for (auto const* const command : {"AUTH", "SELECT", "CLIENT"})
        full[command] = "-ERR max number of clients reached";
    for (auto const& [login, db] : {std::pair<std::string, std::string>{"", ""}, {":pw@", ""}, {"", "/2"}}) {
        auto const said = greeted(full, login, db);
        BOOST_TEST(said.problem.find("ERR max number of clients reached (raise maxclients of this Redis") !=
                       std::string::npos,
                   said.problem);
        BOOST_TEST(!said.refuses_login);
    }
}

BOOST_AUTO_TEST_CASE(what_a_refused_courtesy_costs_is_remarked_on) {
    auto const cannot_write = greeted({{"PING", misconf}});
    BOOST_REQUIRE_EQUAL(cannot_write.remarks.size(), 1u);
    BOOST_TEST(cannot_write.remarks[0].starts_with(
        "Redis cannot write to its disk: jobs and replies are refused until it can (MISCONF "));
    auto const renamed =
        greeted({{"CLIENT", unknown}, {"PING", unknown}, {"ROLE", unknown}, {"CLUSTER", unknown}});
    BOOST_REQUIRE_EQUAL(renamed.remarks.size(), 4u);
    for (auto const& remark : renamed.remarks)
        BOOST_TEST(remark.starts_with("this server does not know "), remark);
    // That a user may do little is how it was set up.
    BOOST_TEST(greeted({{"PING", "-NOPERM"}, {"CLIENT", "-NOPERM"}}).remarks.empty());
}

BOOST_AUTO_TEST_CASE(a_password_that_nobody_asks_for_is_remarked_on) {
    for (std::string const answer :
         {"ERR AUTH <password> called without any password configured for the default user. Are you sure "
          "your "
          "configuration is correct?",
          "ERR Client sent AUTH, but no password is set", "ERR unknown command 'AUTH'"}) {
        auto const said = greeted({{"AUTH", "-" + answer}}, ":secret@");
        BOOST_TEST(said.problem.empty(), said.problem);
        BOOST_REQUIRE_EQUAL(said.remarks.size(), 1u);
        BOOST_TEST(said.remarks[0].find("asks for none") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_refused_login_is_a_problem_of_its_own) {
    for (std::string const answer :
         {"WRONGPASS invalid username-password pair or user is disabled.", "ERR invalid password"}) {
        auto const said = greeted({{"AUTH", "-" + answer}}, "ada:secret@");
        BOOST_TEST(said.problem == "AUTH: " + answer + " (the password or the user of the URL is wrong)");
        BOOST_TEST(said.refuses_login);
        BOOST_TEST(asked.size() == 1u);
    }
    auto const none = greeted({{"CLIENT", "-NOAUTH Authentication required."}});
    BOOST_TEST(none.problem == "CLIENT: NOAUTH Authentication required. (the URL names no password)");
    BOOST_TEST(none.refuses_login);
    BOOST_TEST(!greeted({{"PING", "-LOADING"}}).refuses_login);
}

BOOST_AUTO_TEST_CASE(the_database_of_the_url_is_no_courtesy) {
    auto const said = greeted({{"SELECT", "-ERR DB index is out of range"}}, "", "/7");
    BOOST_TEST(said.problem == "SELECT: ERR DB index is out of range");
    BOOST_TEST(!said.refuses_login);
}

BOOST_AUTO_TEST_SUITE_END()
