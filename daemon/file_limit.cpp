#include "daemon/file_limit.hpp"

#include "embedding/options.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace engram::daemon {

namespace {

// Streams, loop, log, connections to Redis with some to spare, the index, the resolver, libraries that open a
// file for a moment.
constexpr std::size_t always = 40;
constexpr std::size_t each_connection_of_the_database = 3;  // the file, its log, its shared memory
constexpr std::size_t connections_besides_readers = 2;      // the writer's and the one of lists

constexpr std::size_t no_limit = 1'000'000'000;  // none that matters

bool has_embedding(config const& config) {
    return !config.embedding.base_url.empty();
}

// Of the connections for calls: the others are for embeddings, and for those that end and begin at once.
std::size_t for_claude(std::size_t calls) {
    return calls * 3 / 4;
}

}  // namespace

std::size_t raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return no_limit;
    auto raised = limit;
    raised.rlim_cur = raised.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return std::min<std::size_t>(limit.rlim_cur, no_limit);
}

file_budget budget_of(std::size_t limit, config const& config) {
    file_budget budget;
    budget.limit = limit;
    budget.reserved =
        always + each_connection_of_the_database * (config.store.readers + connections_besides_readers);
    budget.calls = limit - std::min(limit, budget.reserved);
    auto const jobs = std::max<std::size_t>(1, config.queue.max_in_flight);
    budget.needed = budget.reserved + (4 * jobs + 2) / 3;
    if (has_embedding(config))
        budget.needed =
            std::max(budget.needed, budget.reserved + 4 * std::min(jobs, embedding::most_queries) - 3);
    return budget;
}

void fit(config& config, file_budget const& budget) {
    auto const claude = std::max<std::size_t>(1, for_claude(budget.calls));
    config.claude.max_connections = std::min(config.claude.max_connections, claude);
    if (!has_embedding(config)) return;
    // Each job asks for the vector of its message.
    auto const rest = std::max<std::size_t>(1, budget.calls - std::min(budget.calls, claude));
    if (rest < embedding::most_queries)
        config.queue.max_in_flight = std::min(config.queue.max_in_flight, rest);
}

}  // namespace engram::daemon
