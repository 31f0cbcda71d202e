#include "queue/script.hpp"

#include "queue/redis.hpp"
#include "queue/script_texts.hpp"

#include <openssl/sha.h>

namespace engram::queue {

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

script with_common(std::string_view own) {
    return script(std::string(script_texts::common) + std::string(own));
}

}  // namespace

script::script(std::string_view body) : body_(body), sha1_(sha1_hex(body)) {}

asio::awaitable<redis_result<redis_value>> script::run(redis& connection, std::string_view key,
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

scripts const& all_scripts() {
    static scripts const all{
        with_common(script_texts::take),         with_common(script_texts::finish),
        with_common(script_texts::release),      with_common(script_texts::heartbeat),
        with_common(script_texts::reconcile),    with_common(script_texts::leave),
        with_common(script_texts::dead_retry),   with_common(script_texts::admin_take),
        with_common(script_texts::admin_finish), with_common(script_texts::admin_release),
        with_common(script_texts::user_jobs),    with_common(script_texts::cancel),
        with_common(script_texts::dead_without)};
    return all;
}

}  // namespace engram::queue
