#include "base/utf8.hpp"
#include "require.hpp"
#include "workers/memory_tags.hpp"
#include "workers/prompt.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram;

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size())
        ++n;
    return n;
}

// The input in pieces: each begins with a byte that says what it is, and ends at 0xFE.
struct conversation {
    store::context context;
    store::summary_task summary;
    std::string message = "hi";
};

conversation read(std::string_view input) {
    conversation all;
    while (!input.empty()) {
        auto const end = std::min(input.find('\xFE'), input.size());
        auto const kind = static_cast<unsigned char>(input[0]) % 5;
        std::string const text(input.substr(1, end > 0 ? end - 1 : 0));
        auto const role = kind == 1 ? store::role::user : store::role::assistant;
        if (kind == 0) all.context.memories.push_back({1, text.substr(0, 8), text, text, text.substr(0, 1)});
        if (kind == 1 || kind == 2) all.context.turns.push_back({1, role, text});
        if (kind == 3) all.summary.earlier_summaries.push_back(text);
        if (kind == 4) all.message = text;
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    all.summary.turns = all.context.turns;
    return all;
}

void check_chat(conversation const& all) {
    auto const request = workers::compose_chat({}, all.context, "s", all.message);
    REQUIRE(request.system.size() == (all.context.memories.empty() ? 1U : 2U));
    REQUIRE(request.system.back().cache_breakpoint);
    if (!all.context.memories.empty()) {
        auto const& block = request.system[1].text;
        REQUIRE(count(block, "\n") == all.context.memories.size() + 1);
        REQUIRE(count(block, "</memories>") == 1 && count(block, "<") == 2);
        REQUIRE(base::is_utf8(block));
        auto const tags = workers::extract_memory_tags(block, {"fact"});
        REQUIRE(tags.tags.empty() && tags.malformed == 0);
    }
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        REQUIRE(request.messages[i].role == (i % 2 == 0 ? claude::role::user : claude::role::assistant));
        REQUIRE(!request.messages[i].content.empty());
        for (auto const& block : request.messages[i].content)
            REQUIRE(&block == &request.messages.back().content.back() ||
                    (!base::is_blank(block.text) && base::is_utf8(block.text)));
    }
    REQUIRE(request.messages.size() % 2 == 1);
    REQUIRE(request.messages.back().content.back().text == all.message);
    REQUIRE(!request.messages.back().content.back().cache_breakpoint);
}

void check_summary(conversation const& all) {
    auto const request = workers::compose_summary({}, all.summary);
    REQUIRE(request.messages.size() == 1 && request.messages[0].content.size() == 1);
    auto const& text = request.messages[0].content[0].text;
    REQUIRE(base::is_utf8(text));
    REQUIRE(count(text, "<transcript>\n") == 1 && count(text, "\n</transcript>") == 1);
    REQUIRE(count(text, "<") == (all.summary.earlier_summaries.empty() ? 2U : 4U));
    REQUIRE(count(text, "\nUser: ") + count(text, "\nAssistant: ") <= all.summary.turns.size());
    REQUIRE(workers::extract_memory_tags(text, {"fact"}).tags.empty());
}

void check_escaped(std::string_view input) {
    auto const escaped = workers::escape_data(input);
    REQUIRE(base::is_utf8(escaped));
    REQUIRE(escaped.find_first_of("<>\r\n") == std::string::npos);
    REQUIRE(workers::escape_data(escaped) == escaped);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    check_escaped(input);
    auto const all = read(input);
    check_chat(all);
    check_summary(all);
    return 0;
}
