// Names to addresses.
#include "net/names.hpp"

#include "support/loop.hpp"
#include "support/no_descriptors.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <string>

namespace {

using namespace engram;
using namespace engram::test;
using asio_endpoint = boost::asio::ip::tcp::endpoint;

/// While it lives, no thread can be started: each would get a stack larger than the address space.
class no_new_threads {
public:
    no_new_threads() {
        ::pthread_attr_init(&attributes_);
        ::pthread_getattr_default_np(&attributes_);
        ::pthread_attr_getstacksize(&attributes_, &usual_);
        set(std::size_t(1) << 50);
    }
    ~no_new_threads() {
        set(usual_);
        ::pthread_attr_destroy(&attributes_);
    }
    no_new_threads(no_new_threads const&) = delete;

private:
    void set(std::size_t stack) {
        ::pthread_attr_setstacksize(&attributes_, stack);
        BOOST_REQUIRE(::pthread_setattr_default_np(&attributes_) == 0);
    }

    pthread_attr_t attributes_;
    std::size_t usual_ = 0;
};

struct fixture : loop {
    /// "address:port" of all, separated by blanks, or "failed: " and why.
    std::string look(net::names& hosts) {
        std::string said;
        run(ask(hosts, said));
        return said;
    }

    static task<void> ask(net::names& hosts, std::string& said) {
        auto const found = co_await hosts.find(base::steady_time::clock::now() + std::chrono::seconds(20));
        if (!found) {
            auto const end = found.error().end;
            said = end == net::io_end::timed_out ? "timed out: "
                   : end == net::io_end::lacking ? ""
                                                 : "failed: ";
            said += found.error().what;
            co_return;
        }
        for (auto const& address : *found)
            said += (said.empty() ? "" : " ") + address.address().to_string() + ':' +
                    std::to_string(address.port());
    }
};

bool holds(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(names_of_hosts, fixture)

BOOST_AUTO_TEST_CASE(an_address_is_its_own_answer) {
    no_new_threads const none;
    net::names four(io.get_executor(), "127.0.0.1", 80);
    BOOST_TEST(look(four) == "127.0.0.1:80");
    net::names six(io.get_executor(), "::1", 81);
    BOOST_TEST(look(six) == "::1:81");
    six.forget();
    BOOST_TEST(look(six) == "::1:81");
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_and_kept) {
    net::names hosts(io.get_executor(), "localhost", 80);
    auto const first = look(hosts);
    BOOST_TEST(holds(first, ":80"), first);
    no_new_threads const none;
    BOOST_TEST(look(hosts) == first);
}

BOOST_AUTO_TEST_CASE(a_name_without_an_address_is_a_failure) {
    net::names hosts(io.get_executor(), "nowhere.invalid", 80);
    BOOST_TEST(look(hosts).starts_with("failed: 'nowhere.invalid' cannot be resolved: "));
}

BOOST_AUTO_TEST_CASE(a_lookup_that_could_not_be_begun_fails_and_the_next_one_begins_anew) {
    net::names hosts(io.get_executor(), "localhost", 80);
    {
        no_new_threads const none;
        for (int i = 0; i < 2; ++i)
            BOOST_TEST(look(hosts).starts_with("this machine: no thread could be started: "));
    }
    BOOST_TEST(holds(look(hosts), ":80"));
}

BOOST_AUTO_TEST_CASE(a_name_is_not_blamed_for_a_file_that_could_not_be_opened) {
    net::names warm(io.get_executor(), "localhost", 80);
    look(warm);  // starts the thread, which needs no descriptor from then on
    net::names hosts(io.get_executor(), "nowhere.invalid", 80);
    {
        engram::tests::no_descriptors const none;
        BOOST_TEST(look(hosts).starts_with("this machine: no file descriptor is free"), look(hosts));
    }
    BOOST_TEST(look(hosts).starts_with("failed: 'nowhere.invalid' cannot be resolved: "));
}

BOOST_AUTO_TEST_CASE(the_address_that_works_comes_first) {
    net::names hosts(io.get_executor(), "localhost", 80);
    look(hosts);
    hosts.prefer(asio_endpoint(boost::asio::ip::make_address("127.0.0.1"), 80));
    BOOST_TEST(look(hosts).starts_with("127.0.0.1:80"));
    hosts.forget();
    BOOST_TEST(look(hosts).starts_with("127.0.0.1:80"));
}

BOOST_AUTO_TEST_SUITE_END()
