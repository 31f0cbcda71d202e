#include "workers/chat/recollection.hpp"

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "recall/entry.hpp"
#include "recall/likeness.hpp"
#include "recall/search.hpp"
#include "recall/telltale.hpp"
#include "workers/chat/memory_tags.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace engram::workers {
namespace {

std::uint32_t minutes_since_1970(base::wall_time now) {
    auto const minutes = base::to_unix_ms(now) / 60'000;
    return minutes > 0 && minutes <= UINT32_MAX ? static_cast<std::uint32_t>(minutes) : 0;
}

class message_ranker final : public store::ranker {
public:
    message_ranker(std::string query, recall::word_neighbours const* neighbours, std::uint32_t now_minutes)
        : query_(std::move(query)), neighbours_(neighbours), now_minutes_(now_minutes) {}

    void see(store::indexed_item const& item) override {
        if (!search_) search_.emplace(query_, neighbours_, now_minutes_);
        if (!search_->empty()) search_->see({item.id, item.session, item.minutes, item.entry});
    }

    [[nodiscard]] std::vector<store::ranked_item> best(
        std::size_t limit, std::function<bool(std::int64_t)> const& leave_out,
        std::function<double(std::int64_t)> const& similarity) const override {
        std::vector<store::ranked_item> ranked;
        if (!search_) return ranked;
        std::function<double(std::int64_t)> boost;
        if (similarity) boost = [&](std::int64_t id) { return std::clamp(similarity(id), 0.0, 1.0); };
        for (auto& one : search_->best(limit, leave_out, boost))
            ranked.push_back({one.id, one.score, std::move(one.why), one.by == recall::voice::assistant});
        return ranked;
    }

private:
    std::string query_;
    recall::word_neighbours const* neighbours_;
    std::uint32_t now_minutes_;
    std::optional<recall::search> search_;  // made on the thread that searches
};

class text_telltale final : public store::telltale {
public:
    void add(std::string_view text, std::string_view now) override { of_.add(text, now); }
    void hold(std::string_view text) override { of_.hold(text); }
    [[nodiscard]] std::optional<std::string> cut(
        std::string_view text, std::function<base::kinship(std::size_t)> const& of) const override {
        return of_.cut(text, of);
    }

private:
    recall::telltale of_;
};

// A blank text has no entry: it would count as a neighbour of the turns around it.
std::string entry_of(std::string_view text, recall::voice by) {
    return base::is_blank(text) ? std::string() : recall::make_entry(text, by);
}

std::string installed_table() {
    std::error_code failed;
    auto const program = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) return {};
    return (program.parent_path().parent_path() / "share" / "engram" / "word-neighbours").string();
}

}  // namespace

std::uint32_t recollection::version() const {
    return recall::entry_version;
}

std::string recollection::entry(std::string_view text, store::text_kind kind) const {
    if (kind == store::text_kind::memory) return entry_of(text, recall::voice::memory);
    if (kind == store::text_kind::user_turn) return entry_of(text, recall::voice::user);
    if (kind == store::text_kind::assistant_said) return entry_of(text, recall::voice::assistant);
    // Notes are memories by themselves.
    return entry_of(extract_memory_tags(text, {}).reply, recall::voice::assistant);
}

std::string recollection::exchange_entry(std::span<store::spoken const> turns) const {
    std::deque<std::string> said;  // answers without their notes, which are memories by themselves
    std::vector<recall::part> parts;
    for (auto const& one : turns) {
        auto text = one.text;
        if (one.kind == store::text_kind::assistant_turn)
            text = said.emplace_back(extract_memory_tags(text, {}).reply);
        bool const by_user = one.kind == store::text_kind::user_turn;
        if (!base::is_blank(text))
            parts.push_back({text, by_user ? recall::voice::user : recall::voice::assistant});
    }
    return parts.empty() ? std::string() : recall::make_entry(parts);
}

std::string recollection::fingerprint(std::string_view text) const {
    return recall::make_fingerprint(text);
}

bool recollection::same(std::string_view a, std::string_view b) const {
    return recall::says_the_same(a, b);
}

std::shared_ptr<store::ranker> recollection::ranker_for(std::string query, base::wall_time now) const {
    return std::make_shared<message_ranker>(std::move(query), neighbours_.get(), minutes_since_1970(now));
}

std::unique_ptr<store::telltale> recollection::make_telltale() const {
    return std::make_unique<text_telltale>();
}

std::unique_ptr<recall::word_neighbours> open_word_neighbours(std::string const& path) {
    auto const file = path.empty() ? installed_table() : path;
    try {
        return recall::word_neighbours::open(file);
    } catch (std::runtime_error const& missing) {
        base::log_warn("memories are searched without related words", {{"reason", missing.what()}});
        return nullptr;
    }
}

}  // namespace engram::workers
