// An upkeep port that fails at everything: a test overrides what it is about.
#pragma once

#include "store/upkeep.hpp"

namespace engram::test {

class bare_upkeep : public store::upkeep {
public:
    template <class T>
    using answer = store::answer<T>;

    answer<std::size_t> expire_outcomes(base::wall_time, std::size_t) override { return fail<std::size_t>(); }
    answer<std::size_t> expire_memories(base::wall_time, std::size_t) override { return fail<std::size_t>(); }
    answer<std::optional<base::wall_time>> newest_outcome() override {
        return fail<std::optional<base::wall_time>>();
    }
    answer<std::optional<store::consolidation_task>> claim_consolidation(std::size_t, base::wall_time,
                                                                         base::wall_time,
                                                                         base::wall_time) override {
        return fail<std::optional<store::consolidation_task>>();
    }
    answer<std::optional<std::size_t>> commit_consolidation(store::consolidation_task,
                                                            std::vector<store::consolidation_step>,
                                                            base::wall_time) override {
        return fail<std::optional<std::size_t>>();
    }
    answer<std::vector<store::unembedded>> find_unembedded(std::string, std::size_t) override {
        return fail<std::vector<store::unembedded>>();
    }
    answer<void> store_vectors(std::string, std::vector<store::embedded>) override { return fail<void>(); }
    answer<std::size_t> adopt_rows(std::size_t) override { return fail<std::size_t>(); }

private:
    template <class T>
    answer<T> fail() {
        co_return store::error{store::error_kind::internal, "not in this test"};
    }
};

}  // namespace engram::test
