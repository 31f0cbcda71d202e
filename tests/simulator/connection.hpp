// One connection of a client: reads requests, performs deliveries.
#pragma once

#include <boost/asio/ip/tcp.hpp>

namespace boost::asio::ssl {
class context;
}

namespace engram::simulator {

struct world;

/// Serves the socket until it ends. `tls` null: plain HTTP. The world and the context must outlive it.
void serve(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls, world& w);

}  // namespace engram::simulator
