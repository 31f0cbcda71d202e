#include "recall/entry.hpp"
#include "recall/likeness.hpp"
#include "recall/neighbours.hpp"
#include "recall/search.hpp"
#include "recall/shared_words.hpp"
#include "require.hpp"
#include "store/sqlite/recall_block.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace engram;

// The input in pieces, each ending at 0xFE: the first is the question, the others are texts.
std::vector<std::string> split(std::string_view input) {
    std::vector<std::string> pieces;
    while (!input.empty()) {
        auto const end = std::min(input.find('\xFE'), input.size());
        pieces.emplace_back(input.substr(0, end));
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    return pieces;
}

// A text of one part has all of its own words.
void check_shared_words(std::string const& text) {
    auto const stems = recall::stems_of(text);
    recall::shared_words own(text);
    own.look_for(stems);
    while (own.read_part()) {
    }
    REQUIRE(own.bytes_read() <= text.size());
    if (text.size() <= recall::shared_words::bytes_a_part) REQUIRE(recall::share_within(stems, {&own}) >= 1);
}

void check_likeness(std::vector<std::string> const& texts) {
    for (auto const& text : texts) {
        auto const own = recall::make_fingerprint(text);
        if (recall::make_entry(text, recall::voice::memory).size() > 6)
            REQUIRE(recall::says_the_same(own, own));
        check_shared_words(text);
        for (auto const& other : texts) {
            auto const theirs = recall::make_fingerprint(other);
            REQUIRE(recall::says_the_same(own, theirs) == recall::says_the_same(theirs, own));
            // What stands in a database may be damaged.
            (void)recall::says_the_same(own, other);
        }
    }
}

// Memories, lone turns, and exchanges of two and more.
std::vector<std::int64_t> rows_for(std::int64_t id) {
    std::vector<std::int64_t> rows{id + 1};
    for (std::int64_t more = id % 3 == 2 ? 0 : id % 5; more > 0; --more)
        rows.push_back(rows.back() + (more == 1 ? 1 : id * 1'000));
    return rows;
}

void append_record(std::string& block, std::int64_t id, std::string_view entry) {
    auto const rows = rows_for(id);
    auto const later = store::later_turns_of(rows);
    store::append_record(block, {.item = id,
                                 .is_memory = id % 3 == 2,
                                 .row = rows.front(),
                                 .later_turns = later,
                                 .turns = rows.size(),
                                 .session = 7,
                                 .minutes = std::uint32_t(29'000'000 - id),
                                 .entry = entry});
}

void check_search(std::vector<std::string> const& texts) {
    recall::search search(texts.front(), nullptr, 29'000'000);
    std::string block;
    std::int64_t id = 0;
    for (auto const& text : texts) {
        auto const by = id % 3 == 2   ? recall::voice::memory
                        : id % 3 == 1 ? recall::voice::assistant
                                      : recall::voice::user;
        auto const entry = recall::make_entry(text, by);
        append_record(block, id, entry);
        search.see({id, 7, std::uint32_t(29'000'000 - id), entry});
        // As if an entry had been damaged.
        search.see({1'000'000 + id, 7, 0, text});
        ++id;
    }
    auto const left_out = [](std::int64_t one) { return one == 1; };
    auto const best = search.best(5, left_out);
    REQUIRE(best.size() <= 5);
    for (std::size_t i = 0; i < best.size(); ++i) {
        REQUIRE(best[i].id != 1 && std::isfinite(best[i].score) && best[i].score > 0);
        REQUIRE(i == 0 || best[i - 1].score >= best[i].score);
    }
    store::record_reader records(block);
    for (std::int64_t item = 0; item < id; ++item) {
        auto const record = records.next();
        REQUIRE(record && record->item == item && record->row == item + 1);
        REQUIRE(record->is_memory == (item % 3 == 2) && store::rows_of(*record) == rows_for(item));
    }
    REQUIRE(!records.next());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), std::min<std::size_t>(size, 20'000));
    auto texts = split(input);
    if (texts.empty()) texts.emplace_back();
    if (texts.size() > 24) texts.resize(24);
    check_likeness(texts);
    check_search(texts);
    store::record_reader damaged(input);
    while (auto const record = damaged.next()) {
        auto const rows = store::rows_of(*record);
        REQUIRE(rows.size() == record->turns && std::ranges::is_sorted(rows));
    }
    (void)store::minutes_of(input);
    return 0;
}
