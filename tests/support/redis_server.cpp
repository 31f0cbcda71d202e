#include "support/redis_server.hpp"

#include <csignal>
#include <stdexcept>

namespace engram::test {
namespace {

std::string text_of(redisReply const& reply) {
    switch (reply.type) {
        case REDIS_REPLY_INTEGER:
            return std::to_string(reply.integer);
        case REDIS_REPLY_NIL:
            return "(nil)";
        case REDIS_REPLY_ERROR:
            return "(error) " + std::string(reply.str, std::size_t(reply.len));
        case REDIS_REPLY_ARRAY: {
            std::string lines;
            for (std::size_t i = 0; i < std::size_t(reply.elements); ++i)
                lines += (i ? "\n" : "") + text_of(*reply.element[i]);
            return lines;
        }
        default:
            return {reply.str, std::size_t(reply.len)};
    }
}

}  // namespace

redis_server::redis_server(std::vector<std::string> options) : options_(std::move(options)) {
    start();
}

void redis_server::start() {
    std::vector<std::string> arguments{"redis-server",
                                       "--port",
                                       "0",
                                       "--unixsocket",
                                       socket(),
                                       "--dir",
                                       folder_.path().string(),
                                       "--save",
                                       "",
                                       "--appendonly",
                                       "yes",
                                       "--appendfsync",
                                       "no"};
    arguments.insert(arguments.end(), options_.begin(), options_.end());
    process_ = std::make_unique<child_process>(std::move(arguments));
    process_->wait_for_line("eady to accept connections");
    client_.reset();
}

void redis_server::kill() {
    process_->signal(SIGKILL);
    process_->wait();
    client_.reset();
}

std::string redis_server::command(std::vector<std::string> const& arguments) {
    if (!client_) client_.reset(redisConnectUnix(socket().c_str()));
    if (!client_ || client_->err) throw std::runtime_error("no connection to the test's Redis");
    std::vector<char const*> data;
    std::vector<std::size_t> sizes;
    for (auto const& argument : arguments) {
        data.push_back(argument.data());
        sizes.push_back(argument.size());
    }
    std::unique_ptr<redisReply, void (*)(void*)> const reply(
        static_cast<redisReply*>(
            redisCommandArgv(client_.get(), int(data.size()), data.data(), sizes.data())),
        freeReplyObject);
    if (!reply) throw std::runtime_error("the test's Redis does not answer");
    return text_of(*reply);
}

}  // namespace engram::test
