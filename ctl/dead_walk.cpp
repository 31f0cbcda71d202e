#include "ctl/dead_walk.hpp"

namespace engram::ctl {

namespace {

redis::error not_a_range() {
    return {redis::error_kind::refused, "the answer to XRANGE is not a list of entries"};
}

}  // namespace

dead_walk::dead_walk(connection& redis, std::string key, walk_order order)
    : redis_(redis),
      key_(std::move(key)),
      order_(order),
      begin_(order == walk_order::oldest_first ? "-" : "+"),
      end_(order == walk_order::oldest_first ? "+" : "-"),
      piece_(next_piece(0, 0)) {}

redis::result<std::vector<dead_letter>> dead_walk::next() {
    auto const command = order_ == walk_order::oldest_first ? "XRANGE" : "XREVRANGE";
    auto const count = std::to_string(piece_);
    auto answer = redis_.call({command, key_, begin_, end_, "COUNT", count});
    if (!answer) return answer.error();
    auto letters = read_dead_letters(std::move(*answer));
    if (!letters) return not_a_range();
    std::size_t bytes = 0;
    for (auto const& letter : *letters)
        bytes += letter.bytes();
    piece_ = next_piece(letters->size(), bytes);
    if (!letters->empty()) begin_after(letters->back().entry);
    return std::move(*letters);
}

redis::result<std::optional<std::string>> newest_entry(connection& redis, std::string const& key) {
    auto answer = redis.call({"XREVRANGE", key, "+", "-", "COUNT", "1"});
    if (!answer) return answer.error();
    auto const letters = read_dead_letters(std::move(*answer));
    if (!letters) return not_a_range();
    if (letters->empty()) return std::optional<std::string>();
    return std::optional(letters->front().entry);
}

}  // namespace engram::ctl
