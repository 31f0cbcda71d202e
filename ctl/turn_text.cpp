#include "ctl/turn_text.hpp"

#include "ctl/display.hpp"
#include "ctl/json_fields.hpp"

#include <algorithm>

namespace engram::ctl {

std::string indented(std::string_view content, std::size_t blanks) {
    auto const lines = safe_lines(content);
    std::string_view rest = lines;
    std::string out;
    do {
        auto const end = std::min(rest.find('\n'), rest.size());
        out.append(blanks, ' ').append(rest.substr(0, end)).push_back('\n');
        rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
    return out;
}

std::string turn_text(boost::json::object const& turn, std::size_t blanks) {
    auto const content = text_in(turn, "content");
    bool const erased = content && content->empty();
    std::string head = text_cell(turn, "created_at", 24) + "  " + text_cell(turn, "role", 20);
    if (is_true(turn, "summarized")) head += "  (summarized)";
    if (erased) head += "  (blank)";
    auto out = std::string(blanks, ' ') + head + '\n';
    if (!erased) out += indented(content.value_or("-"), blanks + 4);
    return out;
}

}  // namespace engram::ctl
