// A loop with a scripted server on it.
#pragma once

#include "net/stream.hpp"
#include "support/loop.hpp"
#include "support/scripted_server.hpp"
#include "support/scripts.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace engram::test {

inline constexpr std::string_view ask_hello = "?\r\n\r\n";

inline task<void> hello_when_asked(tests::peer& p) {
    co_await p.request();
    co_await p.send("hello");
    co_await p.until_closed();
}

inline task<void> closes_when_asked(tests::peer& p) {
    co_await p.request();
    p.close();
}

inline task<void> say(net::stream& with, std::string_view what) {
    co_await with.write(what);
}

struct serving : loop {
    tests::scripted_server& serve(std::vector<tests::script> scripts,
                                  boost::asio::ssl::context* tls = nullptr) {
        server = std::make_unique<tests::scripted_server>(io.get_executor(), std::move(scripts), tls);
        return *server;
    }
    // Streams of the test are gone by now, so each script ends by itself.
    ~serving() {
        if (!server) return;
        server->stop();
        io.restart();
        io.run();
    }

    std::unique_ptr<tests::scripted_server> server;
};

}  // namespace engram::test
