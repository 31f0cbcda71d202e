#include "ctl/questions.hpp"

#include <utility>

namespace engram::ctl {

std::optional<redis::value> questions::ask(std::vector<std::string_view> command) {
    if (lost_) return std::nullopt;
    auto const key = std::string(command.size() > 1 ? command[1] : command[0]);
    auto answer = redis_.call(std::move(command));
    if (answer) return std::move(*answer);
    lost_ = answer.error().kind != redis::error_kind::refused;
    if (!trouble_ || lost_) trouble_ = explain(answer.error());
    if (!lost_ && unknown_.empty()) unknown_ = key;
    return std::nullopt;
}

std::optional<std::int64_t> questions::count(std::string_view command, std::string const& key) {
    auto const answer = ask({command, key});
    return answer ? std::optional(answer->as_integer()) : std::nullopt;
}

std::optional<std::int64_t> questions::now_ms() {
    auto const time = ask({"TIME"});
    if (!time || time->items.size() != 2) return std::nullopt;
    return time->items[0].as_integer() * 1000 + time->items[1].as_integer() / 1000;
}

}  // namespace engram::ctl
