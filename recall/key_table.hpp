// The hashes a search looks for, behind a bitmap that turns nearly all others away.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace engram::recall {

/// A fixed set of hashes, each known by its place in the list it was made of.
class key_table {
public:
    static constexpr std::uint32_t none = 0xFFFFFFFF;

    explicit key_table(std::span<std::uint32_t const> distinct)
        : bits_(std::bit_width(std::bit_ceil(distinct.size() * 32 + 4'096)) - 1),
          filter_(std::size_t{1} << (bits_ - 6)),
          slots_(std::bit_ceil(distinct.size() * 2 + 16)),
          mask_(slots_.size() - 1) {
        for (std::uint32_t place = 0; place < distinct.size(); ++place) {
            auto const hash = distinct[place];
            auto const bit = hash >> (32 - bits_);
            filter_[bit >> 6] |= std::uint64_t{1} << (bit & 63);
            std::size_t at = hash & mask_;
            while (slots_[at].place != none)
                at = (at + 1) & mask_;
            slots_[at] = {hash, place};
        }
    }

    /// False: the hash is not there.
    [[nodiscard]] bool may_have(std::uint32_t hash) const {
        auto const bit = hash >> (32 - bits_);
        return (filter_[bit >> 6] >> (bit & 63) & 1) != 0;
    }

    [[nodiscard]] std::uint32_t find(std::uint32_t hash) const {
        for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
            if (slots_[at].place == none || slots_[at].hash == hash) return slots_[at].place;
        }
    }

private:
    struct slot {
        std::uint32_t hash = 0;
        std::uint32_t place = none;
    };

    int bits_;
    std::vector<std::uint64_t> filter_;
    std::vector<slot> slots_;
    std::size_t mask_;
};

}  // namespace engram::recall
