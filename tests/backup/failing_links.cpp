#include "failing_links.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace engram::backup::test {
namespace {

int link_error = 0;

int link_or_fail(char const* from, char const* to) {
    if (link_error == 0) return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
    errno = link_error;
    return -1;
}

}  // namespace

failing_links::failing_links(int error) {
    link_error = error;
}

failing_links::~failing_links() {
    link_error = 0;
}

}  // namespace engram::backup::test

// In the place of the C library's.
extern "C" int link(char const* from, char const* to) noexcept {
    return engram::backup::test::link_or_fail(from, to);
}
