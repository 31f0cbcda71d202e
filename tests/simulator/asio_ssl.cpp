// Asio's TLS source, compiled once for this program.
#include <boost/asio/ssl/impl/src.hpp>
