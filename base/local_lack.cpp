#include "base/local_lack.hpp"

#include <boost/system/system_error.hpp>

#include <cerrno>
#include <new>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace engram::base {

namespace {

constexpr auto no_thread =
    "no thread could be started: raise TasksMax= of the unit, or the limit of processes of the user";

std::string no_descriptor() {
    rlimit limit{};
    bool const is_known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
    return "no file descriptor is free" +
           (is_known ? " (limit " + std::to_string(limit.rlim_cur) + ")" : std::string()) +
           ": raise LimitNOFILE= of the unit, or ulimit -n";
}

// Empty: that is no lack.
std::string lack_of(int number) {
    switch (number) {
        case EMFILE:
            return no_descriptor();
        case ENFILE:
            return "the system has no file descriptor free: raise fs.file-max";
        case ENOMEM:
            return "no memory is free: it needs more, or a higher MemoryMax= of the unit";
        case ENOBUFS:
            return "no memory is free for connections: raise net.ipv4.tcp_mem";
        case EADDRNOTAVAIL:
            return "no local port is free to connect from, or it has no address of that kind: widen "
                   "net.ipv4.ip_local_port_range";
        default:
            return {};
    }
}

std::string told(std::string lack) {
    return lack.empty() ? lack : "this machine: " + std::move(lack);
}

template <class Category>
int number_of(int value, Category const& of, Category const& system, Category const& generic) {
    return of == system || of == generic ? value : 0;
}

}  // namespace

std::string local_lack(std::error_code const& error) {
    return told(
        lack_of(number_of(error.value(), error.category(), std::system_category(), std::generic_category())));
}

std::string local_lack(std::exception const& failure) {
    int const number = error_number(failure);
    return told(number == EAGAIN ? no_thread : lack_of(number));
}

int error_number(std::exception const& failure) {
    if (dynamic_cast<std::bad_alloc const*>(&failure)) return ENOMEM;
    if (auto const* const error = dynamic_cast<std::system_error const*>(&failure))
        return number_of(error->code().value(), error->code().category(), std::system_category(),
                         std::generic_category());
    if (auto const* const error = dynamic_cast<boost::system::system_error const*>(&failure))
        return number_of(error->code().value(), error->code().category(), boost::system::system_category(),
                         boost::system::generic_category());
    return 0;
}

std::string lack_of_files() {
    int const file = ::eventfd(0, EFD_CLOEXEC);
    if (file < 0) return local_lack(std::error_code(errno, std::system_category()));
    ::close(file);
    return {};
}

}  // namespace engram::base
