// Asio's TLS source, compiled once for the scripted servers (see BOOST_ASIO_SEPARATE_COMPILATION). The
// program itself drives OpenSSL without it: net/tls.hpp.
#include <boost/asio/ssl/impl/src.hpp>
