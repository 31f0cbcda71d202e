// The simulator as a process, and a client that speaks to it over real sockets.
#pragma once

#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <vector>

namespace engram::simulator {

class simulator_process {
public:
    /// Ready to take connections when it returns.
    explicit simulator_process(std::vector<std::string> more_arguments = {});

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void signal(int number) { child_->signal(number); }
    int wait() { return child_->wait(); }

private:
    test::temporary_folder folder_;
    std::unique_ptr<test::child_process> child_;
    std::uint16_t port_ = 0;
};

struct http_answer {
    int status = 0;  ///< 0: none came whole
    std::string headers;
    std::string body;
    std::string error;  ///< what the socket said when it ended early; "end of file" for an orderly end

    [[nodiscard]] bool reset() const { return error.find("reset") != std::string::npos; }
    [[nodiscard]] boost::json::value json() const;
};

/// One keep-alive connection. A read gives up after a minute.
class http_client {
public:
    explicit http_client(std::uint16_t port);

    void send(std::string const& bytes);
    /// One whole answer.
    http_answer read();
    http_answer get(std::string const& path);
    http_answer post(std::string const& path, std::string const& body);
    /// POST /v1/messages, with a key and a version.
    void send_ask(std::string const& body);
    http_answer ask(std::string const& body);

private:
    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_;
    std::string rest_;
};

[[nodiscard]] std::string simple_ask(std::string const& text, bool stream = false);
/// The headers of a good request, each with CRLF, with this key header.
[[nodiscard]] std::string ask_bytes(std::string const& body, std::string const& headers);

}  // namespace engram::simulator
