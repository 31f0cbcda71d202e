#include "workers/categories.hpp"

#include "base/utf8.hpp"
#include "workers/characters.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace engram::workers {
namespace {

constexpr std::size_t built_in = 2;  // fact and preference, at the front of what is offered
constexpr std::size_t most_name_bytes = 32;
constexpr std::size_t most_description_bytes = 1'000;
// The database can add this to any time.
constexpr std::chrono::seconds longest_ttl = std::chrono::hours(24 * 365 * 100);

bool is_name(std::string_view text) {
    auto const is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    return !text.empty() && text.size() <= most_name_bytes && is_letter(text[0]) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_one_line(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(1))
        if (control_length(text) > 0) return false;
    return true;
}

// What is wrong with a configured category; empty if nothing is.
std::string find_fault(category const& one) {
    if (!is_name(one.name))
        return "the name of a memory category must be a lower-case letter and at most 31 more of a-z 0-9 _, "
               "not \"" +
               base::to_utf8(one.name.substr(0, 2 * most_name_bytes)) + '"';
    auto const of = "the memory category " + one.name;
    // The last two are words of the tags by which the model changes a memory.
    constexpr std::array<std::string_view, 3> taken{"summary", "update", "forget"};
    if (std::find(taken.begin(), taken.end(), one.name) != taken.end())
        return of + " must have another name: this one has a meaning of its own";
    if (!base::is_utf8(one.description) || !is_one_line(one.description) ||
        one.description.size() > most_description_bytes)
        return "the description of " + of + " must be one line of at most " +
               std::to_string(most_description_bytes) + " bytes in UTF-8";
    if (one.ttl < std::chrono::seconds(0) || one.ttl > longest_ttl)
        return "the lifetime of " + of + " must be 0 (for ever) or at most 100 years";
    return {};
}

}  // namespace

categories::categories()
    : offered_{{"fact",
                "something lasting about the user: name, family, work, projects, plans, important dates"},
               {"preference",
                "how the user likes things: style of answers, likes and dislikes, ways of working"}},
      summary_{"summary", "what the older turns of a long conversation were about"} {
    name_all();
}

base::result<categories, std::string> categories::make(std::vector<category> configured) {
    categories made;
    std::vector<std::string> seen;
    for (auto& one : configured) {
        if (auto fault = find_fault(one); !fault.empty()) return fault;
        if (std::find(seen.begin(), seen.end(), one.name) != seen.end())
            return "the memory category " + one.name + " is there twice";
        seen.push_back(one.name);
        auto& offered = made.offered_;
        auto const end = offered.begin() + built_in;
        auto const place =
            std::find_if(offered.begin(), end, [&](category const& known) { return known.name == one.name; });
        bool const described = !base::is_blank(one.description);
        if (place != end) {
            if (!described) one.description = std::move(place->description);
            *place = std::move(one);
        } else if (described) {
            offered.push_back(std::move(one));
        } else {
            return "the memory category " + one.name +
                   " needs a description, by which the model knows what belongs there";
        }
    }
    made.name_all();
    return made;
}

category const* categories::find(std::string_view name) const {
    if (name == summary_.name) return &summary_;
    auto const found =
        std::find_if(offered_.begin(), offered_.end(), [&](category const& one) { return one.name == name; });
    return found == offered_.end() ? nullptr : &*found;
}

void categories::name_all() {
    names_.clear();
    for (std::size_t i = 0; i < offered_.size(); ++i) {
        if (i == built_in) names_.push_back(summary_.name);
        names_.push_back(offered_[i].name);
    }
    if (offered_.size() == built_in) names_.push_back(summary_.name);
}

}  // namespace engram::workers
