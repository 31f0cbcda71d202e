#include "redis_pipe.hpp"

#include <hiredis.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <vector>

namespace engram::bench {
namespace {

redisContext* connect(std::string const& address) {
    if (address.starts_with('/')) return redisConnectUnixNonBlock(address.c_str());
    auto const colon = address.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("expected HOST:PORT or /path, not " + address);
    return redisConnectNonBlock(address.substr(0, colon).c_str(), std::stoi(address.substr(colon + 1)));
}

struct free_reply {
    void operator()(void* reply) const { freeReplyObject(reply); }
};

}  // namespace

redis_pipe::redis_pipe(std::string const& address) : context_(connect(address)) {
    if (context_ == nullptr) throw std::runtime_error("out of memory");
    if (context_->err != 0) {
        std::string const problem = context_->errstr;
        redisFree(context_);
        throw std::runtime_error("cannot connect to Redis at " + address + ": " + problem);
    }
}

redis_pipe::~redis_pipe() {
    redisFree(context_);
}

int redis_pipe::descriptor() const {
    return context_->fd;
}

void redis_pipe::append(std::initializer_list<std::string_view> command) {
    std::vector<char const*> texts;
    std::vector<std::size_t> sizes;
    for (auto const& argument : command) {
        texts.push_back(argument.data());
        sizes.push_back(argument.size());
    }
    if (redisAppendCommandArgv(context_, int(texts.size()), texts.data(), sizes.data()) != REDIS_OK)
        fail("buffering a command");
    pending_ = true;
}

void redis_pipe::write() {
    int done = 0;
    if (redisBufferWrite(context_, &done) != REDIS_OK) fail("writing to Redis");
    pending_ = done == 0;
}

void redis_pipe::read(std::function<void(redisReply const&)> const& take) {
    if (redisBufferRead(context_) != REDIS_OK) fail("reading from Redis");
    for (;;) {
        void* answer = nullptr;
        if (redisGetReplyFromReader(context_, &answer) != REDIS_OK) fail("reading from Redis");
        if (answer == nullptr) return;
        std::unique_ptr<void, free_reply> const owner(answer);
        auto const& reply = *static_cast<redisReply const*>(answer);
        if (reply.type == REDIS_REPLY_ERROR)
            throw std::runtime_error("Redis says: " + std::string(reply.str, std::size_t(reply.len)));
        take(reply);
    }
}

void redis_pipe::fail(char const* doing) const {
    throw std::runtime_error(std::string(doing) + ": " + context_->errstr);
}

}  // namespace engram::bench
