#include "workers/chat/code_spans.hpp"

#include <algorithm>
#include <map>

namespace engram::workers {

code_spans::code_spans(std::string_view text, std::size_t begin, std::size_t end) {
    struct run {
        std::size_t at, length;
    };
    std::vector<run> runs;
    for (auto at = begin; at < end; ++at) {
        if (text[at] != '`') continue;
        auto length = at;
        while (length < end && text[length] == '`')
            ++length;
        runs.push_back({at, length - at});
        at = length - 1;
    }
    std::map<std::size_t, std::size_t> next;  // by length: where the next run of it ends
    for (auto one = runs.rbegin(); one != runs.rend(); ++one) {
        auto const end_of_run = one->at + one->length;
        auto const found = next.find(one->length);
        ends_.emplace_back(one->at, found == next.end() ? end_of_run : found->second);
        next[one->length] = end_of_run;
    }
    std::ranges::reverse(ends_);
}

std::size_t code_spans::skip(std::size_t at) const {
    auto const found = std::ranges::lower_bound(ends_, at, {}, &std::pair<std::size_t, std::size_t>::first);
    return found == ends_.end() || found->first != at ? at + 1 : found->second;
}

}  // namespace engram::workers
