#include "redis/script.hpp"

#include "redis/client.hpp"

#include <openssl/sha.h>

namespace engram::redis {

namespace asio = boost::asio;

namespace {

std::string sha1_hex(std::string_view text) {
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<unsigned char const*>(text.data()), text.size(), digest);
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (unsigned char const byte : digest) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

}  // namespace

script::script(std::string_view body) : body_(body), sha1_(sha1_hex(body)) {}

asio::awaitable<result<value>> script::run(client& connection, std::string_view key,
                                           std::vector<std::string> const& arguments) const {
    std::vector<std::string_view> command{"EVALSHA", sha1_, "1", key};
    command.insert(command.end(), arguments.begin(), arguments.end());
    auto answer = co_await connection.command(command);
    if (answer || !answer.error().has_code("NOSCRIPT")) co_return answer;
    command[0] = "EVAL";
    command[1] = body_;
    answer = co_await connection.command(command);
    co_return answer;
}

}  // namespace engram::redis
