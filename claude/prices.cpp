#include "claude/prices.hpp"

#include <algorithm>
#include <cctype>

namespace engram::claude {
namespace {

struct rate {
    std::string_view model;
    double input;
    double output;
    double cache_write;
    double cache_read;
};

// The provider's list prices as of 2026-11-22, USD per million tokens; cache writes are those of the
// five-minute cache, the only one that is asked for.
constexpr rate list_prices[] = {
    {"claude-fable-5-2", 8, 40, 10, 0.20},         {"claude-fable-5-1", 10, 50, 12.5, 0.25},
    {"claude-opus-5-5", 4, 20, 5, 0.20},           {"claude-opus-5", 5, 25, 6.25, 0.50},
    {"claude-opus-4-8", 5, 25, 6.25, 0.50},        {"claude-opus-4-7", 5, 25, 6.25, 0.50},
    {"claude-opus-4-6", 5, 25, 6.25, 0.50},        {"claude-opus-4-5", 5, 25, 6.25, 0.50},
    {"claude-sonnet-5-5", 2, 10, 2.5, 0.10},       {"claude-sonnet-5", 2, 10, 2.5, 0.20},
    {"claude-sonnet-4-6", 3, 15, 3.75, 0.30},      {"claude-sonnet-4-5", 3, 15, 3.75, 0.30},
    {"claude-haiku-5-5", 0.10, 0.50, 0.125, 0.01}, {"claude-haiku-4-5", 1, 5, 1.25, 0.10},
};

// The same model above 100,000 tokens of prompt: all tokens of that call.
constexpr rate haiku_5_5_long{"claude-haiku-5-5", 0.50, 2.50, 0.625, 0.05};
constexpr std::int64_t haiku_5_5_short_prompt = 100'000;

// "" or "-20251101" or "@20251101": anything else behind a known id is another model, whose price is not
// known.
bool is_date_suffix(std::string_view rest) {
    if (rest.empty()) return true;
    return rest.size() == 9 && (rest[0] == '-' || rest[0] == '@') &&
           std::all_of(rest.begin() + 1, rest.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::optional<rate> own_rate(std::string_view model, std::vector<price> const& own) {
    std::optional<rate> best;
    for (auto const& p : own)
        if (model.starts_with(p.model) && (!best || p.model.size() > best->model.size()))
            best = rate{p.model, p.input, p.output, p.cache_write, p.cache_read};
    return best;
}

std::optional<rate> list_rate(std::string_view model, std::int64_t prompt_tokens) {
    for (auto const& r : list_prices) {
        if (!model.starts_with(r.model) || !is_date_suffix(model.substr(r.model.size()))) continue;
        bool const is_long = r.model == haiku_5_5_long.model && prompt_tokens > haiku_5_5_short_prompt;
        return is_long ? haiku_5_5_long : r;
    }
    return std::nullopt;
}

}  // namespace

std::optional<double> cost_of(std::string_view model, usage const& used, std::vector<price> const& own) {
    auto const prompt = used.input_tokens + used.cache_read_input_tokens + used.cache_creation_input_tokens;
    auto rates = own_rate(model, own);
    if (!rates) rates = list_rate(model, prompt);
    if (!rates) return std::nullopt;
    return (double(used.input_tokens) * rates->input + double(used.output_tokens) * rates->output +
            double(used.cache_creation_input_tokens) * rates->cache_write +
            double(used.cache_read_input_tokens) * rates->cache_read) /
           1e6;
}

}  // namespace engram::claude
