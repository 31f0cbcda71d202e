// The steps that tests have put in, in order, and the faults that strike by chance.
#pragma once

#include "step.hpp"

#include <list>
#include <memory>
#include <string_view>
#include <vector>

namespace engram::simulator {

/// What a step is matched against.
struct request_view {
    std::string_view new_message;
    std::string_view system;
    std::string_view model;
    bool stream = false;
    std::int64_t prompt_tokens = 0;
};

class script {
public:
    void append(std::vector<step> steps);
    /// Faults by chance, replacing the earlier ones.
    void set_faults(std::vector<step> faults);
    void clear_steps() { steps_.clear(); }
    [[nodiscard]] std::size_t steps_left() const { return steps_.size(); }

    /// The first step that fits the request; if there is none, the first fault that chance strikes. Null:
    /// neither.
    [[nodiscard]] std::shared_ptr<step const> take(request_view const& r, random_engine& random);

    /// The same for a request whose first line alone is there: only steps at `before_reading`. A step waiting
    /// in front of one keeps its place in the order: then nothing is taken.
    [[nodiscard]] std::shared_ptr<step const> take_before_reading(random_engine& random);

private:
    struct waiting {
        std::shared_ptr<step const> what;
        long left;
    };
    std::shared_ptr<step const> use(std::list<waiting>::iterator at);

    std::list<waiting> steps_;
    std::vector<std::shared_ptr<step const>> faults_;
};

}  // namespace engram::simulator
