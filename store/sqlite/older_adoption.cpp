#include "store/sqlite/older_adoption.hpp"

#include "store/sqlite/work.hpp"

#include <utility>

namespace engram::store {
namespace {

// The list reader looks through a piece in some milliseconds, and serves others in between.
constexpr std::size_t turns_a_piece = 1'000, most_pieces_a_look = 100;
constexpr std::int64_t turns_between_notes = 10'000;  // what a start looks at again

}  // namespace

older_adoption::older_adoption(reader<list_queries>& lists, writer& writer,
                               boost::asio::any_io_executor executor, text_index const* texts)
    : lists_(lists), writer_(writer), executor_(std::move(executor)), texts_(texts) {}

// Mostly it meets this program's own turns, and writes nothing.
answer<std::size_t> older_adoption::adopt(std::size_t limit) {
    if (texts_ == nullptr) co_return std::size_t{0};
    for (std::size_t i = 0; i < most_pieces_a_look; ++i) {
        auto const piece = co_await call_on<older_turns::piece>(
            lists_, executor_,
            outcome_of<older_turns::piece>(
                [after = looked_at_, version = std::int64_t{texts_->version()}](list_queries& db) {
                    return db.older.look(after, turns_a_piece, version);
                }));
        if (!piece) co_return piece.error();
        auto const [after, last, any] = *piece;
        if (!looked_at_) noted_ = after;
        looked_at_ = after;
        if (last == after) break;
        if (!any && last - noted_ < turns_between_notes) {
            looked_at_ = last;
            continue;
        }
        auto const adopted = co_await call_on<adoption_queries::older>(
            writer_, executor_, outcome_of<adoption_queries::older>([after, last, limit](write_queries& db) {
                return db.adoption.adopt_older(after, last, limit);
            }));
        if (!adopted) co_return adopted.error();
        looked_at_ = noted_ = adopted->last;
        if (adopted->rows > 0) co_return adopted->rows;
    }
    co_return std::size_t{0};
}

}  // namespace engram::store
