// Asio's own source, compiled once for this program.
#include <boost/asio/impl/src.hpp>
