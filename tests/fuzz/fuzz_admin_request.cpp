#include "base/utf8.hpp"
#include "require.hpp"
#include "workers/admin/admin_request.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace engram;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    workers::categories const types;
    auto const read = workers::parse_admin_request(input, {"engram", nullptr, 262'144, &types});
    auto const& request = read ? *read : read.error().partial;
    REQUIRE(request.id.size() <= 128 && request.user_id.size() <= 128 && request.session_id.size() <= 128);
    REQUIRE(request.reply_to.empty() || request.reply_to.starts_with("engram:reply:"));
    if (!read) {
        REQUIRE(!read.error().message.empty());
        return 0;
    }
    REQUIRE(request.op == workers::admin_op::stats || !request.user_id.empty());
    REQUIRE(request.limit <= 500 && request.memory_id >= 0);
    if (request.type) REQUIRE(types.find(*request.type) != nullptr);
    if (request.content) {
        REQUIRE(!base::is_blank(*request.content) && request.content->size() <= 8'000);
        REQUIRE(request.content->find('\n') == std::string::npos);
    }
    return 0;
}
