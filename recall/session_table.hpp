// Which episode each session is in, while texts of many sessions pass by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace engram::recall {

/// A map from the hash of a session (never 0) to a number; open addressing, for it is asked once a text.
class session_table {
public:
    /// The number of that session, `none` when it is new; to be assigned.
    static constexpr std::uint32_t none = 0xFFFFFFFF;

    [[nodiscard]] std::uint32_t& operator[](std::uint32_t session) {
        if ((count_ + 1) * 2 > slots_.size()) grow();
        auto& slot = place_of(session);
        if (slot.session == 0) {
            slot.session = session;
            ++count_;
        }
        return slot.number;
    }

private:
    struct slot {
        std::uint32_t session = 0;
        std::uint32_t number = none;
    };

    slot& place_of(std::uint32_t session) {
        auto const mask = slots_.size() - 1;
        for (std::size_t at = (session * 0x9E3779B1U >> 7) & mask;; at = (at + 1) & mask) {
            if (slots_[at].session == session || slots_[at].session == 0) return slots_[at];
        }
    }

    void grow() {
        std::vector<slot> old(slots_.empty() ? 64 : slots_.size() * 2);
        std::swap(old, slots_);
        for (auto const& one : old) {
            if (one.session != 0) place_of(one.session) = one;
        }
    }

    std::vector<slot> slots_;
    std::size_t count_ = 0;
};

}  // namespace engram::recall
