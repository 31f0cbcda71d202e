// What is under way.
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>

namespace engram::base {

/// A flag that is set, or a count that is raised, for as long as something is under way, and taken back
/// however that ends, also if it could not even be begun: a flag that stays set would keep the same thing
/// from being begun ever again. What is begun beyond this scope calls keep() as soon as it is begun: from
/// then on its own end takes the mark back. `mark` must outlive this.
template <class T>
    requires std::same_as<T, bool> || std::same_as<T, std::size_t>
class under_way {
public:
    explicit under_way(T& mark) : mark_(&mark) {
        if constexpr (std::same_as<T, bool>)
            mark = true;
        else
            ++mark;
    }
    ~under_way() {
        if (mark_ == nullptr) return;
        if constexpr (std::same_as<T, bool>)
            *mark_ = false;
        else
            --*mark_;
    }
    under_way(under_way const&) = delete;
    under_way& operator=(under_way const&) = delete;

    void keep() { mark_ = nullptr; }

private:
    T* mark_;
};

}  // namespace engram::base
