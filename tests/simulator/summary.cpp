// The points of a summary, made out of the turns in the request.
#include "assistant.hpp"
#include "json_text.hpp"
#include "recollection.hpp"
#include "statements.hpp"

#include <algorithm>

namespace engram::simulator {
namespace {

struct said {
    speaker who;
    std::string_view text;
};

/// Past "User: ", "- user: ", "[user] ", "<user>" or "<turn role="user">"; empty if the line opens no turn.
std::string_view opening_of(std::string_view line, speaker& who) {
    auto const low = lower_ascii(line.substr(0, 60));
    auto const first = low.find_first_of("abcdefghijklmnopqrstuvwxyz");
    if (first == low.npos) return {};
    auto const head = std::string_view(low).substr(first);
    for (auto const& [name, role] : {std::pair{std::string_view("user"), speaker::user},
                                     std::pair{std::string_view("assistant"), speaker::assistant}}) {
        bool const bare = head.starts_with(name) && head.size() > name.size() &&
                          std::string_view(":]>)|").find(head[name.size()]) != std::string_view::npos;
        if (bare) {
            who = role;
            return line.substr(first + name.size() + 1);
        }
        auto const attribute = head.find("role=\"" + std::string(name));
        auto const end = line.find('>');
        if (attribute != head.npos && end != line.npos) {
            who = role;
            return line.substr(end + 1);
        }
    }
    return {};
}

/// A transcript inside one text: the lines that open a turn, and what follows them.
void read_transcript(std::string_view text, std::vector<said>& turns) {
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        auto const line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        speaker who = speaker::user;
        auto words = trim(opening_of(line, who));
        auto const closing = words.rfind("</");
        if (closing != words.npos) words = trim(words.substr(0, closing));
        if (!words.empty()) turns.push_back({who, words});
    }
}

std::vector<said> turns_of(messages_request const& r) {
    std::vector<said> turns;
    for (auto const& t : r.turns)
        if (t.who == speaker::user)
            for (auto const text : t.texts)
                read_transcript(text, turns);
    if (!turns.empty()) return turns;
    for (auto const& t : r.turns)
        for (auto const text : t.texts)
            if (t.who != speaker::system) turns.push_back({t.who, text});
    return turns;
}

std::string joined(std::vector<std::string> const& items, std::size_t most) {
    std::string out;
    for (std::size_t i = 0; i < std::min(items.size(), most); ++i)
        out += (i ? "; " : "") + items[i];
    return out;
}

}  // namespace

std::string summarize_by_rules(messages_request const& r) {
    auto const turns = turns_of(r);
    std::vector<std::string> facts, preferences, topics;
    std::string_view last_answer;
    for (auto const& t : turns) {
        if (t.who == speaker::assistant) {
            last_answer = trim(t.text.substr(0, t.text.find(simulation_mark)));
            continue;
        }
        auto const text = unescape(t.text);
        auto const stated = find_statements(text);
        for (auto const& s : stated) {
            auto& list = s.type == "preference" ? preferences : facts;
            if (std::find(list.begin(), list.end(), s.content) == list.end()) list.push_back(s.content);
        }
        if (stated.empty()) topics.push_back(harmless(text, 80));
    }
    std::vector<std::string> points;
    if (!facts.empty()) points.push_back(joined(facts, 12));
    if (!preferences.empty()) points.push_back(joined(preferences, 12));
    if (!topics.empty()) points.push_back("The user spoke about: " + joined(topics, 6));
    points.push_back(std::to_string(turns.size()) + " turns were exchanged");
    if (points.size() < 5 && !last_answer.empty())
        points.push_back("The assistant last answered: " + harmless(last_answer, 80));
    if (points.size() < 3) points.push_back("Nothing was decided");
    if (points.size() < 3) points.push_back("Nothing was left open");
    std::string out;
    for (auto const& p : points)
        out += "- " + p + '\n';
    out.pop_back();
    return out + ' ' + std::string(simulation_mark);
}

}  // namespace engram::simulator
