#include "base/utf8.hpp"
#include "queue/job_reading.hpp"
#include "queue/pushed_json.hpp"
#include "queue/reply.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace engram;

namespace {

void check_address(queue::job const& job) {
    REQUIRE(job.id.size() <= 128 && job.user_id.size() <= 128 && job.session_id.size() <= 128);
    REQUIRE(job.reply_to.empty() || job.reply_to.starts_with("engram:reply:"));
    for (auto const* text :
         {&job.id, &job.user_id, &job.session_id, &job.reply_to, &job.message, &job.metadata})
        REQUIRE(base::is_utf8(*text));
    queue::error_reply reply;
    reply.id = job.id;
    reply.user_id = job.user_id;
    reply.metadata = job.metadata;
    REQUIRE(queue::parse_reply(queue::to_json(reply)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    queue::job_limits const limits{"engram", nullptr, 262'144};
    auto const strict = queue::parse_job(input, limits);
    auto const read = queue::read_any_job(input, limits);
    auto const& job = read ? *read : read.error().partial;
    check_address(job);
    check_address(queue::find_address(input, limits));
    if (strict) {
        REQUIRE(read && read->message == strict->message && read->metadata == strict->metadata);
        REQUIRE(read->user_id == strict->user_id && read->id == strict->id);
    }
    if (!read) REQUIRE(!read.error().message.empty());
    if (read) {
        REQUIRE(!read->user_id.empty() && !base::is_blank(read->message));
        // Whoever reads it once more, repaired, reads the same.
        auto const mended = queue::repaired(input);
        auto const again = queue::read_any_job(mended.empty() ? input : std::string_view(mended), limits);
        REQUIRE(again && again->message == read->message && again->metadata == read->metadata);
        REQUIRE(again->user_id == read->user_id && again->session_id == read->session_id);
    }
    return 0;
}
