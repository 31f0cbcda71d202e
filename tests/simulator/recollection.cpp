#include "recollection.hpp"

#include "json_text.hpp"
#include "statements.hpp"

#include <algorithm>
#include <optional>

namespace engram::simulator {
namespace {

struct numbered {
    long number;
    std::string_view content;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view without_bullet(std::string_view line) {
    line = trim(line);
    while (line.starts_with("-") || line.starts_with("*") || line.starts_with("\xE2\x80\xA2"))
        line = trim(line.substr(line[0] == '-' || line[0] == '*' ? 1 : 3));
    return line;
}

/// Past "(fact, 2026-11-23)" and what separates it from the content.
std::string_view without_label(std::string_view line) {
    line = trim(line);
    if (line.starts_with("(")) {
        auto const end = line.find(')');
        if (end != line.npos) line = trim(line.substr(end + 1));
    }
    while (line.starts_with(":") || line.starts_with("-") || line.starts_with("|"))
        line = trim(line.substr(1));
    return line;
}

/// A line is a memory if it begins with a number sign and digits, with a label that ends in a date, or is an
/// element named memory.
std::optional<numbered> read_line(std::string_view line) {
    line = without_bullet(line);
    if (line.starts_with("#") && line.size() > 1 && is_digit(line[1])) {
        long number = 0;
        std::size_t i = 1;
        for (; i < line.size() && is_digit(line[i]); ++i)
            if (number < 100'000'000'000'000) number = number * 10 + (line[i] - '0');
        return numbered{number, without_label(line.substr(i))};
    }
    if (line.starts_with("(") || line.starts_with("[")) {
        auto const end = line.find_first_of(")]");
        if (end != line.npos && end >= 11 && is_digit(line[end - 1]) && line[end - 3] == '-')
            return numbered{0, without_label(line.substr(end + 1))};
    }
    if (line.starts_with("<memory") && line.size() > 7 && (line[7] == ' ' || line[7] == '>')) {
        auto const start = line.find('>');
        auto const end = line.rfind("</");
        if (end != line.npos && start != line.npos && start < end)
            return numbered{0, trim(line.substr(start + 1, end - start - 1))};
    }
    return std::nullopt;
}

template <class F>
void each_line(std::string_view text, F&& f) {
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        f(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

/// `[MEMORY: type|content]` in what the assistant wrote earlier.
void find_tags(std::string_view text, std::vector<std::string>& into) {
    for (std::size_t at = 0; (at = text.find('[', at)) != text.npos; ++at) {
        if (lower_ascii(text.substr(at, 7)) != "[memory") continue;
        auto const line = text.substr(at, text.find('\n', at) - at);
        auto const bar = line.find('|');
        auto const end = line.find(']');
        if (bar == line.npos || end == line.npos || end < bar) continue;
        into.emplace_back(trim(line.substr(bar + 1, end - bar - 1)));
    }
}

bool contains_form(std::vector<std::string> const& list, std::string const& form) {
    return std::any_of(list.begin(), list.end(), [&](std::string const& s) { return same_form(s) == form; });
}

}  // namespace

std::string unescape(std::string_view content) {
    constexpr std::pair<std::string_view, std::string_view> forms[] = {
        {"\\n", "; "}, {"&lt;", "<"}, {"&gt;", ">"}, {"&#91;", "("}};
    std::string out;
    while (!content.empty()) {
        std::size_t taken = 0;
        for (auto const& [written, meant] : forms)
            if (content.starts_with(written)) {
                out += meant;
                taken = written.size();
            }
        if (taken == 0) out += content[0];
        content.remove_prefix(std::max<std::size_t>(taken, 1));
    }
    return out;
}

std::vector<std::string> find_memory_lines(std::string_view text) {
    std::vector<numbered> lines;
    each_line(text, [&](std::string_view line) {
        auto const m = read_line(line);
        if (m && !m->content.empty()) lines.push_back(*m);
    });
    std::sort(lines.begin(), lines.end(), [](numbered const& a, numbered const& b) {
        // All are views into one text: without a number the place decides.
        return a.number != b.number ? a.number < b.number : a.content.data() < b.content.data();
    });
    std::vector<std::string> contents;
    contents.reserve(lines.size());
    for (auto const& l : lines)
        contents.push_back(harmless(unescape(l.content), 2000));
    return contents;
}

std::string without_memory_lines(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    each_line(text, [&](std::string_view line) {
        if (read_line(line)) return;
        out += line;
        out += '\n';
    });
    return out;
}

recollection recollect(messages_request const& r) {
    recollection known;
    std::string recalled = r.system;
    for (auto const block : r.blocks_before_new_message()) {
        recalled += '\n';
        recalled += block;
    }
    known.memories = find_memory_lines(recalled);
    auto const remember = [&known](std::string_view text) {
        for (auto& s : find_statements(text))
            known.stated.push_back(std::move(s.content));
    };
    for (std::size_t i = 0; i + 1 < r.turns.size(); ++i)
        for (auto const text : r.turns[i].texts) {
            if (r.turns[i].who == speaker::assistant) find_tags(text, known.noted);
            if (r.turns[i].who == speaker::user) remember(text);
        }
    // A turn that got no answer stands in one message with the new one.
    for (auto const block : r.blocks_before_new_message())
        remember(without_memory_lines(block));
    return known;
}

std::vector<std::string> recollection::newest_first() const {
    std::vector<std::string> all;
    std::vector<std::string> forms;
    for (auto const* list : {&stated, &noted, &memories})
        for (auto s = list->rbegin(); s != list->rend(); ++s) {
            auto form = same_form(*s);
            if (std::find(forms.begin(), forms.end(), form) != forms.end()) continue;
            forms.push_back(std::move(form));
            all.push_back(harmless(*s, 2000));
        }
    return all;
}

bool recollection::knows(std::string_view sentence) const {
    auto const form = same_form(sentence);
    return contains_form(memories, form) || contains_form(noted, form);
}

}  // namespace engram::simulator
