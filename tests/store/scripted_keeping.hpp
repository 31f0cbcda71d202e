// A store whose state a test sets.
#pragma once

#include "store/keeping.hpp"

namespace engram::store::test {

class scripted_keeping : public keeping {
public:
    [[nodiscard]] opening_report const& opened_as() const override { return report; }
    answer<store_state> look() override { co_return seen; }
    answer<void> rehearse(rehearsal what) override {
        last = std::move(what);
        ++rehearsed;
        co_return next;
    }

    answer<std::size_t> forget_again() override { co_return std::size_t{0}; }

    opening_report report{.place = "/somewhere/engram.db"};
    store_state seen;
    result<void> next;  // what a rehearsal ends with
    rehearsal last;
    int rehearsed = 0;
};

inline error const damage{error_kind::internal,
                          "the database: database disk image is malformed (SQLite code 11)", true};

}  // namespace engram::store::test
