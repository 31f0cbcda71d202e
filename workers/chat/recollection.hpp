// How texts are found again: the ranking of recall/, behind what the store asks for.
#pragma once

#include "base/clock.hpp"
#include "recall/neighbours.hpp"
#include "store/text_index.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace engram::workers {

/// Must outlive the store that is opened with it, and its rankers. Used from every thread of the store.
class recollection final : public store::text_index {
public:
    /// `neighbours` may be null: words are then found by their stems alone.
    explicit recollection(std::unique_ptr<recall::word_neighbours> neighbours)
        : neighbours_(std::move(neighbours)) {}

    [[nodiscard]] std::uint32_t version() const override;
    [[nodiscard]] std::string entry(std::string_view text, store::text_kind kind) const override;
    [[nodiscard]] std::string exchange_entry(std::span<store::spoken const> turns) const override;
    [[nodiscard]] std::string fingerprint(std::string_view text) const override;
    [[nodiscard]] bool same(std::string_view a, std::string_view b) const override;

    [[nodiscard]] std::shared_ptr<store::ranker> ranker_for(std::string query,
                                                            base::wall_time now) const override;
    [[nodiscard]] std::unique_ptr<store::telltale> make_telltale() const override;

private:
    std::unique_ptr<recall::word_neighbours> neighbours_;
};

/// The table of neighbouring words at `path`, or where it is installed beside this program if `path` is
/// empty. Null, and a line in the log, if it cannot be used.
[[nodiscard]] std::unique_ptr<recall::word_neighbours> open_word_neighbours(std::string const& path);

}  // namespace engram::workers
