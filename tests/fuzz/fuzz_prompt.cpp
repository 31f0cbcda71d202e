#include "base/utf8.hpp"
#include "require.hpp"
#include "workers/chat/memory_tags.hpp"
#include "workers/chat/prompt.hpp"

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
    std::size_t tokens = 1'000'000;  // room for all of it
};

conversation read(std::string_view input) {
    conversation all;
    while (!input.empty()) {
        auto const end = std::min(input.find('\xFE'), input.size());
        auto const kind = static_cast<unsigned char>(input[0]) % 9;
        std::string const text(input.substr(1, end > 0 ? end - 1 : 0));
        auto const role = kind == 1 || kind == 6 ? store::role::user : store::role::assistant;
        auto const id = static_cast<std::int64_t>(all.context.memories.size()) + 1;
        store::memory const memory{id, text.substr(0, 8), text, text, text.substr(0, 1), 12};
        double const score = static_cast<double>(text.size() % 7);
        if (kind == 0) all.context.memories.push_back(memory);
        if (kind == 1 || kind == 2) all.context.turns.push_back({1, role, text});
        if (kind == 3) all.summary.earlier_summaries.push_back(text);
        if (kind == 4) all.message = text;
        if (kind == 5) all.context.found_memories.push_back({memory, score, text});
        if (kind == 6 || kind == 7)
            all.context.found_turns.push_back({{1, role, text}, text, text, score, text});
        if (kind == 8) all.tokens = text.size();
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    all.summary.turns = all.context.turns;
    return all;
}

// A block is its two fences and at most `most` lines of data.
void check_block(std::string_view block, std::string const& name, std::size_t most) {
    REQUIRE(block.starts_with('<' + name + ">\n- ") && block.ends_with("\n</" + name + '>'));
    REQUIRE(count(block, "<") == 2 && count(block, ">") == 2);
    REQUIRE(count(block, "\n") <= most + 1);
    REQUIRE(count(block, "\n") == count(block, "\n- #12 (") + count(block, "\n- (") + 1);
    REQUIRE(block.find('\r') == std::string_view::npos && base::is_utf8(block));
    auto const tags = workers::extract_memory_tags(block, {"fact"});
    REQUIRE(tags.tags.empty() && tags.malformed == 0);
}

void check_system(conversation const& all, claude::request const& request, bool all_fits) {
    auto const memories = all.context.memories.size();
    REQUIRE(!request.system.empty() && request.system.size() <= (memories == 0 ? 1U : 2U));
    for (auto const& block : request.system)
        REQUIRE(block.cache_breakpoint);
    if (request.system.size() == 2) {
        check_block(request.system[1].text(), "memories", memories);
        REQUIRE(count(request.system[1].text(), "\n- (") == 0);
        REQUIRE(!all_fits || count(request.system[1].text(), "\n") == memories + 1);
    } else {
        REQUIRE(!all_fits || memories == 0);
    }
}

void check_chat(conversation const& all) {
    workers::chat_options options;
    options.memory_tokens = all.tokens;
    auto const request = workers::compose_chat(options, all.context, "s", all.message);
    check_system(all, request, all.tokens == 1'000'000);
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        REQUIRE(request.messages[i].role == (i % 2 == 0 ? claude::role::user : claude::role::assistant));
        REQUIRE(!request.messages[i].content.empty());
        for (auto const& block : request.messages[i].content)
            REQUIRE(&block == &request.messages.back().content.back() ||
                    (!base::is_blank(block.text()) && base::is_utf8(block.text())));
    }
    REQUIRE(request.messages.size() % 2 == 1);
    auto const& last = request.messages.back().content;
    REQUIRE(last.back().text() == all.message);
    REQUIRE(!last.back().cache_breakpoint);

    auto const found = all.context.found_memories.size() + all.context.found_turns.size();
    auto with_none = all;
    with_none.context.found_memories.clear();
    with_none.context.found_turns.clear();
    auto const plain = workers::compose_chat(options, with_none.context, "s", all.message);
    for (std::size_t i = 0; i < request.system.size(); ++i)
        REQUIRE(request.system[i].text() == plain.system.at(i).text());
    auto const& last_plain = plain.messages.back().content;
    REQUIRE(last.size() == last_plain.size() || last.size() == last_plain.size() + 1);
    if (last.size() > last_plain.size())
        check_block(last[last.size() - 2].text(), "recalled", found);
    else
        // What the list shows is not shown twice.
        REQUIRE(all.tokens < 1'000'000 || all.context.found_memories.empty() ||
                !all.context.memories.empty());
}

void check_summary(conversation const& all) {
    auto const request = workers::compose_summary({}, all.summary);
    REQUIRE(request.messages.size() == 1 && request.messages[0].content.size() == 1);
    auto const& text = request.messages[0].content[0].text();
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
