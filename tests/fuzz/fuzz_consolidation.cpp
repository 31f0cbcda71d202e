#include "require.hpp"
#include "workers/background/consolidation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace engram;

namespace {

std::vector<store::memory_record> shown() {
    std::vector<store::memory_record> memories;
    for (std::int64_t label = 1; label <= 8; ++label) {
        store::memory_record one;
        one.what = {100 + label,
                    label % 4 == 0 ? "preference" : "fact",
                    "Ada has " + std::to_string(label) + " dogs",
                    "2026-11-23 10:00:00.000",
                    "s",
                    label};
        one.pinned = label == 3;
        memories.push_back(std::move(one));
    }
    return memories;
}

}  // namespace

// The answer of a model, to memories that are always the same.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const memories = shown();
    auto const plan = workers::read_consolidation({reinterpret_cast<char const*>(data), size}, memories);
    if (!plan) return 0;
    std::set<std::int64_t> ended;
    for (auto const& step : plan->steps) {
        REQUIRE(!step.replaced.empty());
        for (auto const id : step.replaced) {
            auto const one = std::ranges::find(memories, id, [](auto const& m) { return m.what.id; });
            REQUIRE(one != memories.end() && !one->pinned && ended.insert(id).second && id != step.kept);
        }
        REQUIRE((step.kept != 0) == step.content.empty());
        REQUIRE(step.content.size() <= 500 && step.content.find('\n') == std::string::npos);
    }
    REQUIRE(ended.size() <= memories.size() / 2);
    REQUIRE(plan->merged + plan->superseded == ended.size());
    return 0;
}
