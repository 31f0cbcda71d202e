// A curator that fails at everything: a test overrides what it is about.
#pragma once

#include "store/curator.hpp"

namespace engram::test {

class bare_curator : public store::curator {
public:
    template <class T>
    using page = store::page<T>;

    answer<page<store::memory_record>> list_memories(std::string, std::string, bool, store::page_request,
                                                     base::wall_time) override {
        return fail<page<store::memory_record>>();
    }
    answer<store::search_result> search(store::search_request) override {
        return fail<store::search_result>();
    }
    answer<std::optional<store::memory_history>> read_history(std::string, std::int64_t) override {
        return fail<std::optional<store::memory_history>>();
    }
    answer<page<store::session_record>> list_sessions(std::string, store::page_request) override {
        return fail<page<store::session_record>>();
    }
    answer<std::optional<page<store::turn_record>>> read_session(store::conversation,
                                                                 store::page_request) override {
        return fail<std::optional<page<store::turn_record>>>();
    }
    answer<page<store::exported>> export_user(std::string, store::page_request) override {
        return fail<page<store::exported>>();
    }
    answer<store::totals> count(std::string) override { return fail<store::totals>(); }
    answer<store::changed_memory> add_memory(std::string, store::new_memory, base::wall_time) override {
        return fail<store::changed_memory>();
    }
    answer<std::optional<store::changed_memory>> change_memory(std::string, store::memory_change,
                                                               base::wall_time) override {
        return fail<std::optional<store::changed_memory>>();
    }
    answer<std::optional<store::memory_record>> restore_memory(std::string, std::int64_t,
                                                               base::wall_time) override {
        return fail<std::optional<store::memory_record>>();
    }
    answer<std::optional<store::erased>> delete_memory(std::string, std::int64_t, base::wall_time) override {
        return fail<std::optional<store::erased>>();
    }
    answer<std::optional<store::erased>> delete_session(store::conversation, bool, base::wall_time) override {
        return fail<std::optional<store::erased>>();
    }
    answer<store::erased> forget_user(std::string, store::finished_jobs, base::wall_time) override {
        return fail<store::erased>();
    }
    answer<std::optional<store::pending_erasure>> claim_erasure(base::wall_time, base::wall_time) override {
        return fail<std::optional<store::pending_erasure>>();
    }
    answer<void> settle_erasure(std::int64_t, store::erasure_state, base::wall_time) override {
        return fail<void>();
    }
    answer<std::size_t> expire_memories(base::wall_time, std::size_t) override { return fail<std::size_t>(); }
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
    answer<void> store_vectors(std::string, std::vector<std::pair<std::int64_t, std::string>>) override {
        return fail<void>();
    }

private:
    template <class T>
    answer<T> fail() {
        co_return store::error{store::error_kind::internal, "not in this test"};
    }
};

}  // namespace engram::test
