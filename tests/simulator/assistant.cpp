#include "assistant.hpp"

#include "json_text.hpp"
#include "recollection.hpp"
#include "statements.hpp"

#include <algorithm>
#include <array>

namespace engram::simulator {
namespace {

bool has(std::string_view text, std::string_view piece) {
    return text.find(piece) != text.npos;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> pieces) {
    return std::any_of(pieces.begin(), pieces.end(), [&](auto p) { return has(text, p); });
}

/// Memories whose sentence begins (or, in a summary, contains) one of the openings; newest first.
std::vector<std::string> about(std::vector<std::string> const& known,
                               std::initializer_list<std::string_view> openings) {
    std::vector<std::string> found;
    for (auto const& k : known) {
        auto const low = lower_ascii(k);
        if (std::any_of(openings.begin(), openings.end(), [&](auto o) { return has(low, o); }))
            found.push_back(k);
    }
    return found;
}

/// The newest name that a sentence gives: "The user's name is Ada", also in the middle of a summary.
std::string known_name(std::vector<std::string> const& known) {
    for (auto const& k : known) {
        auto const low = lower_ascii(k);
        for (std::string_view opening : {"name is ", "is called ", "is named "}) {
            auto const at = low.find(opening);
            if (at == low.npos || (opening != "name is " && !has(low.substr(0, at), "user"))) continue;
            if (opening == "name is " && at > 0 &&
                !has_any(low.substr(0, at), {"user's ", "their ", "his ", "her ", "my "}))
                continue;
            auto const rest = std::string_view(k).substr(at + opening.size());
            auto const end =
                std::min({rest.find(';'), rest.find(','), rest.find('.'), rest.find(" and "), rest.size()});
            if (!trim(rest.substr(0, end)).empty()) return harmless(rest.substr(0, end), 80);
        }
    }
    return {};
}

std::string listed(std::vector<std::string> const& items, std::size_t most) {
    std::string out;
    for (std::size_t i = 0; i < std::min(items.size(), most); ++i) {
        if (i > 0) out += "; ";
        out += items[i];
    }
    return out;
}

std::string from_memory(std::vector<std::string> const& found, std::string_view what) {
    if (found.empty()) return "I do not know " + std::string(what) + " yet: nothing in my memory says so.";
    return "From what I remember: " + listed(found, 20) + '.';
}

/// Words that carry a question's matter.
std::vector<std::string> matter(std::string_view low) {
    static constexpr std::array<std::string_view, 48> idle = {
        "what",  "which", "where",    "when", "who",  "whom", "whose", "why",    "how",   "does",
        "did",   "have",  "has",      "had",  "the",  "and",  "for",   "you",    "your",  "about",
        "know",  "tell",  "remember", "that", "this", "with", "are",   "was",    "were",  "can",
        "could", "would", "should",   "will", "mine", "from", "into",  "please", "there", "their",
        "them",  "again", "user",     "say",  "said", "not",  "any",   "again"};
    std::vector<std::string> words;
    std::string word;
    auto const flush = [&] {
        if (word.size() >= 3 && std::find(idle.begin(), idle.end(), word) == idle.end())
            words.push_back(word);
        word.clear();
    };
    for (char c : low.substr(0, 1000)) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80)
            word += c;
        else
            flush();
    }
    flush();
    return words;
}

bool shares_a_word(std::string_view sentence, std::vector<std::string> const& words) {
    auto const low = lower_ascii(sentence);
    for (auto const& w : words) {
        // A long word matches by its beginning: "allergies" and "allergic", "hikes" and "hiking".
        auto const stem = std::string_view(w).substr(0, w.size() > 6 ? w.size() - 3 : w.size());
        auto const at = low.find(stem);
        if (at != low.npos && (at == 0 || !((low[at - 1] >= 'a' && low[at - 1] <= 'z')))) return true;
    }
    return false;
}

std::string answer_by_matter(std::string_view low, std::vector<std::string> const& known) {
    auto const words = matter(low);
    std::vector<std::string> found;
    for (auto const& k : known)
        if (shares_a_word(k, words)) found.push_back(k);
    return from_memory(found, "that");
}

bool is_question(std::string_view low) {
    if (has(low, "?")) return true;
    return has_any(low.substr(0, 12),
                   {"what ", "who ", "where ", "when ", "which ", "how ", "tell me", "do you "});
}

std::string answer_question(std::string_view low, std::vector<std::string> const& known) {
    if (has_any(low, {"my name", "who am i", "i called", "call me"})) {
        auto const name = known_name(known);
        return name.empty() ? "I do not know your name yet." : "Your name is " + name + '.';
    }
    if (has_any(low, {"know about me", "remember about me", "know of me", "remember of me", "about myself"}))
        return known.empty() ? "I do not know anything about you yet."
                             : "This is what I know: " + listed(known, 40) + '.';
    if (has_any(low, {"do i prefer", "my preference", "i prefer", "do i like", "do i love", "do i hate",
                      "do i enjoy"}))
        return from_memory(
            about(known, {"prefers ", "likes ", "loves ", "enjoys ", "hates ", "favorite", "favourite"}),
            "what you prefer");
    if (has_any(low, {"working on", "my project", "do i work on", "am i building"}))
        return from_memory(about(known, {"working on", "project"}), "what you are working on");
    if (has_any(low, {"my plan", "i plan", "i going to", "planning"}))
        return from_memory(about(known, {"plans to", "planning", "going to"}), "your plans");
    if (has_any(low, {"i live", "i from"}))
        return from_memory(about(known, {"lives in", "is from"}), "where you live");
    if (has_any(low, {"i work", "my job", "do for a living"}))
        return from_memory(about(known, {"works ", "user's job", "is a "}), "where you work");
    return answer_by_matter(low, known);
}

std::string acknowledge(std::string_view message, std::vector<statement> const& stated,
                        std::string const& name) {
    if (stated.empty()) {
        std::string out = name.empty() ? "Hello. " : "Hello, " + name + ". ";
        return out + "You said: \xE2\x80\x9C" + harmless(message, 120) + "\xE2\x80\x9D.";
    }
    std::vector<std::string> contents;
    for (auto const& s : stated)
        contents.push_back(s.content);
    return (name.empty() ? std::string("Thank you. ") : "Thank you, " + name + ". ") +
           "I noted: " + listed(contents, 10) + '.';
}

bool explains_tags(std::string_view system) {
    return has(lower_ascii(system), "[memory");
}

}  // namespace

bool asks_for_summary(messages_request const& r) {
    auto const instructions = lower_ascii(without_memory_lines(r.system));
    if (has_any(instructions, {"three to five", "3 to 5", "3-5",
                               "3\xE2\x80\x93"
                               "5"}))
        return true;
    if (has(instructions, "[memory")) return false;
    if (has(instructions, "summar")) return true;
    return has(lower_ascii(cut_utf8(r.new_message(), 4096)), "three to five points");
}

std::string answer_by_rules(messages_request const& r) {
    if (asks_for_summary(r)) return summarize_by_rules(r);
    auto const message = r.new_message();
    auto const stated = find_statements(message);
    auto const memory = recollect(r);
    auto known = memory.newest_first();
    for (auto s = stated.rbegin(); s != stated.rend(); ++s)
        known.insert(known.begin(), s->content);

    auto const low = lower_ascii(cut_utf8(message, 4096));
    std::string answer;
    if (!stated.empty()) answer = acknowledge(message, stated, known_name(known)) + ' ';
    if (is_question(low)) answer += answer_question(low, known) + ' ';
    if (answer.empty()) answer = acknowledge(message, stated, known_name(known)) + ' ';
    answer += simulation_mark;
    if (stated.empty() || !explains_tags(r.system)) return answer;
    for (auto const& s : stated)
        if (!memory.knows(s.content)) answer += "\n[MEMORY: " + s.type + '|' + s.content + ']';
    return answer;
}

}  // namespace engram::simulator
