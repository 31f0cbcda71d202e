// How work gets from the io thread to a store thread without a lock.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace engram::store {

/// An owning chain of items, first in, first out, linked through `Item::next`.
template <class Item>
class chain {
public:
    chain() = default;
    /// Takes over a chain that ends with a null `next`.
    explicit chain(Item* first) : first_(first), last_(first) {
        while (last_ != nullptr && last_->next != nullptr)
            last_ = last_->next;
    }
    chain(chain&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
    chain& operator=(chain&& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        return *this;
    }
    ~chain() {
        while (!empty())
            pop_front();
    }

    [[nodiscard]] bool empty() const { return first_ == nullptr; }
    /// Walk with `for (auto* i = c.front(); i; i = i->next)`.
    [[nodiscard]] Item* front() const { return first_; }

    void push_back(std::unique_ptr<Item> item) {
        Item* const added = item.release();
        added->next = nullptr;
        (last_ == nullptr ? first_ : last_->next) = added;
        last_ = added;
    }

    /// Null if empty.
    std::unique_ptr<Item> pop_front() {
        std::unique_ptr<Item> item(first_);
        if (item == nullptr) return item;
        first_ = std::exchange(item->next, nullptr);
        if (first_ == nullptr) last_ = nullptr;
        return item;
    }

    /// Puts everything of `other` behind what is here.
    void append(chain other) {
        while (auto item = other.pop_front())
            push_back(std::move(item));
    }

    /// The first `most` items (all if there are fewer).
    chain take_front(std::size_t most) {
        chain taken;
        while (most-- > 0 && !empty())
            taken.push_back(pop_front());
        return taken;
    }

private:
    Item* first_ = nullptr;
    Item* last_ = nullptr;
};

/// Many producers, one consumer. Producers push onto a lock-free stack; the consumer takes the whole stack at
/// once and turns it round. A producer makes a system call only when the consumer sleeps.
///
/// Why nothing is slept through: the consumer announces its sleep, then looks at the stack again; a producer
/// pushes, then looks at the announcement. All four are sequentially consistent, so one of them sees the
/// other.
template <class Item>
class mailbox {
public:
    mailbox() = default;
    mailbox(mailbox const&) = delete;
    mailbox& operator=(mailbox const&) = delete;
    ~mailbox() { chain<Item> left(in_order(top_.exchange(nullptr))); }

    void push(std::unique_ptr<Item> item) {
        Item* const added = item.release();
        added->next = top_.load(std::memory_order_relaxed);
        while (!top_.compare_exchange_weak(added->next, added)) {
        }
        wake();
    }

    /// Waits for work and takes all of it, oldest first. Empty: closed, and everything has been taken.
    chain<Item> take() {
        for (;;) {
            // Before the stack: what was pushed before close() must not be missed.
            bool const closed = closed_.load();
            if (Item* const top = top_.exchange(nullptr)) return chain<Item>(in_order(top));
            if (closed) return {};
            asleep_.store(1);
            if (top_.load() == nullptr && !closed_.load()) asleep_.wait(1);
            asleep_.store(0);
        }
    }

    /// No push may come after this.
    void close() {
        closed_.store(true);
        wake();
    }

private:
    void wake() {
        if (asleep_.load() == 1 && asleep_.exchange(0) == 1) asleep_.notify_one();
    }

    static Item* in_order(Item* newest) {
        Item* oldest = nullptr;
        while (newest != nullptr) {
            Item* const older = std::exchange(newest->next, oldest);
            oldest = std::exchange(newest, older);
        }
        return oldest;
    }

    std::atomic<Item*> top_{nullptr};
    std::atomic<int> asleep_{0};  // an int: the one type whose wait() is a futex of its own
    std::atomic<bool> closed_{false};
};

}  // namespace engram::store
