#include "base/standard_streams.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace engram;

// In a child, which has its own descriptors and cannot report: the number of the check that failed; 0: none.
template <class Checks>
int in_a_child(Checks const& checks) {
    auto const child = ::fork();
    if (child == 0) ::_exit(checks());
    int status = 0;
    BOOST_REQUIRE_EQUAL(::waitpid(child, &status, 0), child);
    BOOST_REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

std::string target_of(int descriptor) {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error).string();
}

BOOST_AUTO_TEST_SUITE(standard_streams)

BOOST_AUTO_TEST_CASE(what_is_closed_is_taken_so_that_nothing_else_gets_its_number) {
    BOOST_TEST(in_a_child([] {
                   for (int stream : {0, 1, 2})
                       ::close(stream);
                   base::keep_standard_streams();
                   for (int stream : {0, 1, 2})
                       if (target_of(stream) != "/dev/null") return 1 + stream;
                   if (::open("/dev/zero", O_RDONLY) < 3) return 4;
                   if (!base::standard_error_was_closed()) return 5;
                   return 0;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(who_writes_to_one_or_reads_from_one_is_told) {
    BOOST_TEST(in_a_child([] {
                   for (int stream : {0, 1, 2})
                       ::close(stream);
                   base::keep_standard_streams();
                   char byte = 'x';
                   if (::write(1, &byte, 1) != -1 || errno != EBADF) return 1;
                   if (::write(2, &byte, 1) != -1 || errno != EBADF) return 2;
                   if (::read(0, &byte, 1) != -1 || errno != EBADF) return 3;
                   return 0;
               }) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_open_is_left_alone) {
    BOOST_TEST(in_a_child([] {
                   int const zero = ::open("/dev/zero", O_RDWR);
                   if (::dup2(zero, 0) != 0 || ::dup2(zero, 2) != 2) return 1;
                   ::close(1);
                   base::keep_standard_streams();
                   if (target_of(0) != "/dev/zero" || target_of(2) != "/dev/zero") return 2;
                   if (target_of(1) != "/dev/null") return 3;
                   if (base::standard_error_was_closed()) return 4;
                   return 0;
               }) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
