// An embedder that does what a test tells it, without a network.
#pragma once

#include "embedding/client.hpp"
#include "workers/set_clock.hpp"

#include <string>
#include <utility>
#include <vector>

namespace engram::test {

class scripted_embedder : public embedding::embedder {
public:
    using vectors = base::result<std::vector<embedding::vector>, embedding::error>;

    boost::asio::awaitable<vectors> embed(std::vector<std::string> texts, embedding::purpose why,
                                          base::steady_time until) override {
        asked.push_back({std::move(texts), why, until});
        if (late != nullptr) {  // as long as it may, and then nothing
            if (until > late->steady())
                late->advance(std::chrono::duration_cast<std::chrono::milliseconds>(until - late->steady()));
            co_return embedding::error{embedding::error_kind::deadline, "too late", 0};
        }
        co_return answer;
    }
    [[nodiscard]] std::string model_id() const override { return "scripted:2"; }

    struct call {
        std::vector<std::string> texts;
        embedding::purpose why;
        base::steady_time until;
    };
    std::vector<call> asked;
    vectors answer = std::vector<embedding::vector>{{1.0F, 0.0F}};
    set_clock* late = nullptr;  // set: it takes all the time it is given, on this clock
};

}  // namespace engram::test
