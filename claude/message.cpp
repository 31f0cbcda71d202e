#include "claude/message.hpp"

namespace engram::claude {

std::string answer::text() const& {
    std::size_t size = 0;
    for (auto const& block : content)
        if (auto const* piece = std::get_if<text_block>(&block.what)) size += piece->text.size();
    std::string joined;
    joined.reserve(size);
    for (auto const& block : content)
        if (auto const* piece = std::get_if<text_block>(&block.what)) joined += piece->text;
    return joined;
}

std::string answer::text() && {
    if (content.size() == 1)
        if (auto* const only = std::get_if<text_block>(&content.front().what)) return std::move(only->text);
    return std::as_const(*this).text();
}

}  // namespace engram::claude
