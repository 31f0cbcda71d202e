#include "simulator_process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>

#include <sys/socket.h>
#include <sys/time.h>

namespace engram::simulator {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

std::size_t content_length(std::string const& headers) {
    auto const at = headers.find("\r\ncontent-length: ");
    return at == std::string::npos ? 0 : std::stoul(headers.substr(at + 18));
}

/// The whole answer at the start of `bytes`; its length, or 0 if more is needed.
std::size_t parse(std::string const& bytes, http_answer& into) {
    auto const end = bytes.find("\r\n\r\n");
    if (end == std::string::npos || !bytes.starts_with("HTTP/1.1 ")) return 0;
    into.headers = bytes.substr(0, end + 2);
    into.body.clear();
    auto at = end + 4;
    if (into.headers.find("transfer-encoding: chunked") == std::string::npos) {
        auto const size = content_length(into.headers);
        if (bytes.size() < at + size) return 0;
        into.body = bytes.substr(at, size);
        at += size;
    } else {
        while (true) {
            auto const line = bytes.find("\r\n", at);
            if (line == std::string::npos) return 0;
            auto const size = std::stoul(bytes.substr(at, line - at), nullptr, 16);
            if (bytes.size() < line + 4 + size) return 0;
            into.body += bytes.substr(line + 2, size);
            at = line + 4 + size;
            if (size == 0) break;
        }
    }
    into.status = std::stoi(into.headers.substr(9, 3));
    return at;
}

}  // namespace

simulator_process::simulator_process(std::vector<std::string> more_arguments) {
    std::vector<std::string> arguments{CLAUDE_SIMULATOR, "--listen", "127.0.0.1:0", "--seed", "1"};
    arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
    child_ = std::make_unique<test::child_process>(arguments);
    auto const line = child_->wait_for_line("listening on");
    auto const colon = line.rfind(':');
    port_ = static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
}

boost::json::value http_answer::json() const {
    return boost::json::parse(body);
}

http_client::http_client(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    timeval const minute{60, 0};
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
}

void http_client::send(std::string const& bytes) {
    // A server that breaks off makes this fail; what it did is seen by reading.
    error_code ignored;
    asio::write(socket_, asio::buffer(bytes), ignored);
}

http_answer http_client::read() {
    http_answer answer;
    while (true) {
        if (auto const length = parse(rest_, answer)) {
            rest_.erase(0, length);
            return answer;
        }
        char bytes[65536];
        error_code ec;
        auto const n = socket_.read_some(asio::buffer(bytes), ec);
        rest_.append(bytes, n);
        if (!ec) continue;
        answer.error = ec == asio::error::eof                ? "end of file"
                       : ec == asio::error::connection_reset ? "reset"
                                                             : ec.message();
        answer.body = rest_;
        return answer;
    }
}

http_answer http_client::get(std::string const& path) {
    send("GET " + path + " HTTP/1.1\r\nhost: a\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\n\r\n");
    return read();
}

http_answer http_client::post(std::string const& path, std::string const& body) {
    send("POST " + path + " HTTP/1.1\r\nhost: a\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body);
    return read();
}

std::string ask_bytes(std::string const& body, std::string const& headers) {
    return "POST /v1/messages HTTP/1.1\r\nhost: a\r\n" + headers +
           "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void http_client::send_ask(std::string const& body) {
    send(ask_bytes(body, "x-api-key: a-key-of-many-letters\r\nanthropic-version: 2023-06-01\r\n"));
}

http_answer http_client::ask(std::string const& body) {
    send_ask(body);
    return read();
}

std::string simple_ask(std::string const& text, bool stream) {
    return R"({"model":"claude-opus-4-5","max_tokens":1024,"messages":[{"role":"user","content":")" + text +
           (stream ? R"("}],"stream":true})" : R"("}]})");
}

}  // namespace engram::simulator
