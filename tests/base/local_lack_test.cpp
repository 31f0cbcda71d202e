// What is a lack of this machine, and what is somebody else's failure.
#include "base/local_lack.hpp"

#include "support/no_descriptors.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

using namespace engram;

std::string told(int number) {
    return base::local_lack(std::error_code(number, std::system_category()));
}

bool holds(std::string const& text, std::string const& part) {
    return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(local_lacks)

BOOST_AUTO_TEST_CASE(what_this_machine_lacks_is_told_with_its_cure) {
    for (auto const& [number, lack, cure] :
         {std::tuple(EMFILE, "no file descriptor is free (limit ", "LimitNOFILE="),
          {ENFILE, "the system has no file descriptor free", "fs.file-max"},
          {ENOMEM, "no memory is free", "MemoryMax="},
          {ENOBUFS, "no memory is free for connections", "tcp_mem"},
          {EADDRNOTAVAIL, "no local port is free", "ip_local_port_range"}}) {
        auto const text = told(number);
        BOOST_TEST(text.starts_with(std::string("this machine: ") + lack), text);
        BOOST_TEST(holds(text, cure), text);
        boost::system::error_code const of_asio(number, boost::asio::error::get_system_category());
        BOOST_TEST(base::local_lack(of_asio) == text);
        BOOST_TEST(base::local_lack(std::error_code(number, std::generic_category())) == text);
    }
}

BOOST_AUTO_TEST_CASE(what_others_do_is_no_lack) {
    for (int const number :
         {0, ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, EAGAIN, ENOENT, EACCES})
        BOOST_TEST(told(number) == "", number);
    // The same numbers mean something else there.
    boost::system::error_code const of_names(EMFILE, boost::asio::error::get_netdb_category());
    BOOST_TEST(base::local_lack(of_names) == "");
}

BOOST_AUTO_TEST_CASE(of_what_is_thrown_a_thread_and_memory_are_lacks_too) {
    namespace system = boost::system;
    std::string const thread = "this machine: no thread could be started: raise TasksMax=";
    BOOST_TEST(
        base::local_lack(std::system_error(EAGAIN, std::generic_category(), "thread")).starts_with(thread));
    system::system_error const of_asio(system::error_code(EAGAIN, system::system_category()), "thread");
    BOOST_TEST(base::local_lack(of_asio).starts_with(thread));
    BOOST_TEST(base::local_lack(std::bad_alloc()) == told(ENOMEM));
    BOOST_TEST(base::local_lack(std::runtime_error("Too many open files")) == "");
    system::system_error const cancelled(boost::asio::error::operation_aborted);
    BOOST_TEST(base::local_lack(cancelled) == "");
}

BOOST_AUTO_TEST_CASE(whether_a_file_could_be_opened_is_tried) {
    BOOST_TEST(base::lack_of_files() == "");
    engram::tests::no_descriptors const none;
    BOOST_TEST(base::lack_of_files() == told(EMFILE));
    BOOST_TEST(holds(told(EMFILE), "(limit 1)"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
