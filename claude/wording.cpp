#include "claude/wording.hpp"

#include <algorithm>
#include <array>

namespace engram::claude {
namespace {

struct sentence {
    std::string_view beginning;  // in lower case
    std::string_view ours;
};

constexpr std::array sentences{
    sentence{"your credit balance is too low", "Your credit balance is too low to access the Anthropic API"},
    sentence{"you have reached your specified api usage limits",
             "You have reached your specified API usage limits"},
    sentence{"you have reached your specified workspace api usage limits",
             "You have reached your specified workspace API usage limits"},
    sentence{"your organization has reached its spend limit",
             "Your organization has reached its spend limit"},
    sentence{"your workspace has reached its spend limit", "Your workspace has reached its spend limit"},
    sentence{"this organization has been disabled", "This organization has been disabled"},
    sentence{"your organization has been disabled", "Your organization has been disabled"},
    sentence{"prompt is too long", "The prompt is too long"},
};

constexpr std::string_view regain = "you will regain access on ";
constexpr std::size_t looked_at = 512;  // bytes of a message

std::string lower(std::string_view text) {
    std::string out(text.substr(0, looked_at));
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return out;
}

// A day as "2027-01-01" that the text begins with.
std::string day_in(std::string_view text) {
    auto const day = text.substr(0, 10);
    bool const is_day = day.size() == 10 && day[4] == '-' && day[7] == '-' &&
                        std::ranges::count_if(day, [](char c) { return c >= '0' && c <= '9'; }) == 8;
    return is_day ? std::string(day) : std::string();
}

}  // namespace

std::string known_wording(std::string_view message) {
    auto const text = lower(message);
    auto const found =
        std::ranges::find_if(sentences, [&](sentence const& one) { return text.starts_with(one.beginning); });
    if (found == sentences.end()) return {};
    std::string said(found->ours);
    if (auto const at = text.find(regain); at != text.npos)
        if (auto const day = day_in(std::string_view(text).substr(at + regain.size())); !day.empty())
            said += "; access is regained on " + day;
    return said;
}

}  // namespace engram::claude
