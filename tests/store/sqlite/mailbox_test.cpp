#include "store/sqlite/mailbox.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

namespace {

using engram::store::chain;
using engram::store::mailbox;

struct letter {
    explicit letter(int from, int number) : sender(from), value(number) {}
    int sender;
    int value;
    letter* next = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(store_mailbox)

BOOST_AUTO_TEST_CASE(what_was_pushed_before_is_taken_at_once_and_in_order) {
    mailbox<letter> box;
    for (int i = 0; i < 5; ++i)
        box.push(std::make_unique<letter>(0, i));
    auto all = box.take();
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(all.pop_front()->value == i);
    BOOST_TEST(all.empty());
}

BOOST_AUTO_TEST_CASE(a_closed_mailbox_gives_what_is_left_and_then_nothing) {
    mailbox<letter> box;
    box.push(std::make_unique<letter>(0, 1));
    box.close();
    BOOST_TEST(!box.take().empty());
    BOOST_TEST(box.take().empty());
    BOOST_TEST(box.take().empty());
}

BOOST_AUTO_TEST_CASE(a_chain_is_cut_at_the_front) {
    chain<letter> all;
    for (int i = 0; i < 5; ++i)
        all.push_back(std::make_unique<letter>(0, i));
    auto first = all.take_front(2);
    BOOST_TEST(first.pop_front()->value == 0);
    BOOST_TEST(first.pop_front()->value == 1);
    BOOST_TEST(first.empty());
    BOOST_TEST(all.front()->value == 2);
    all.push_back(std::make_unique<letter>(0, 5));
    int seen = 0;
    while (all.pop_front())
        ++seen;
    BOOST_TEST(seen == 4);
}

// The consumer sleeps and wakes many times here; a lost wake-up shows as a hang.
BOOST_AUTO_TEST_CASE(many_senders_lose_nothing_and_each_keeps_its_order) {
    constexpr int senders = 4;
    constexpr int letters = 20'000;
    mailbox<letter> box;
    std::vector<int> next(senders, 0);
    bool in_order = true;
    std::thread consumer([&] {
        for (auto all = box.take(); !all.empty(); all = box.take()) {
            while (auto one = all.pop_front()) {
                auto& expected = next[static_cast<std::size_t>(one->sender)];
                in_order = in_order && one->value == expected;
                ++expected;
            }
        }
    });
    std::vector<std::thread> threads;
    for (int s = 0; s < senders; ++s) {
        threads.emplace_back([&box, s] {
            for (int i = 0; i < letters; ++i) {
                box.push(std::make_unique<letter>(s, i));
                if (i % 64 == 0) std::this_thread::yield();
            }
        });
    }
    for (auto& one : threads)
        one.join();
    box.close();
    consumer.join();
    BOOST_TEST(in_order);
    for (int const count : next)
        BOOST_TEST(count == letters);
}

BOOST_AUTO_TEST_CASE(a_sleeping_consumer_is_woken_by_each_of_many_single_letters) {
    mailbox<letter> there;
    mailbox<letter> back;
    std::thread echo([&] {
        for (auto all = there.take(); !all.empty(); all = there.take()) {
            while (auto one = all.pop_front())
                back.push(std::move(one));
        }
    });
    for (int i = 0; i < 5'000; ++i) {
        there.push(std::make_unique<letter>(0, i));
        auto all = back.take();
        BOOST_REQUIRE(all.front()->value == i);
    }
    there.close();
    echo.join();
}

BOOST_AUTO_TEST_SUITE_END()
