#include "daemon/config_toml.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace engram::daemon {
namespace {

struct ttl_unit {
    char letter;
    std::int64_t seconds;
};
// The longest first: the first that divides a time is the one to write it in.
constexpr std::array<ttl_unit, 4> ttl_units{{{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};

std::string quoted(std::string_view text) {
    std::string out;
    base::append_json_string(out, text);  // a basic string of TOML has the same escapes
    return out;
}

std::string dollars(double value) {
    std::string text;
    base::append_json_number(text, value);
    if (text.find('.') == std::string::npos) text += ".0";
    return text;
}

std::string ttl_text(std::chrono::seconds ttl) {
    if (ttl.count() == 0) return "0";
    auto const unit =
        std::ranges::find_if(ttl_units, [&](ttl_unit one) { return ttl.count() % one.seconds == 0; });
    return quoted(std::to_string(ttl.count() / unit->seconds) + unit->letter);
}

std::string table_of(claude::price const& price) {
    return "{model = " + quoted(price.model) + ", input = " + dollars(price.input) +
           ", output = " + dollars(price.output) + ", cache_write = " + dollars(price.cache_write) +
           ", cache_read = " + dollars(price.cache_read) + "}";
}

std::string table_of(workers::category const& category) {
    return "{name = " + quoted(category.name) + ", description = " + quoted(category.description) +
           ", max_per_user = " + std::to_string(category.max_per_user) + ", ttl = " + ttl_text(category.ttl) +
           "}";
}

template <class List, class Write>
std::string array_of(List const& list, Write write) {
    std::string out = "[";
    for (auto const& item : list) {
        if (out.size() > 1) out += ", ";
        out += write(item);
    }
    return out + "]";
}

struct writer {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(std::string const& text) const { return quoted(text); }
    std::string operator()(text_list const& list) const { return array_of(list, quoted); }
    template <class Table>
    std::string operator()(std::vector<Table> const& tables) const {
        return array_of(tables, [](Table const& one) { return table_of(one); });
    }
};

}  // namespace

std::string to_toml(config_value const& value) {
    return std::visit(writer{}, value);
}

std::optional<std::chrono::seconds> read_ttl(std::string_view text) {
    // So many digits of days are still a number of seconds.
    constexpr std::size_t most_digits = 12;
    if (text.size() < 2 || text.size() > most_digits + 1) return std::nullopt;
    auto const unit = std::ranges::find(ttl_units, text.back(), &ttl_unit::letter);
    std::uint64_t number = 0;
    auto const* const end = text.data() + text.size() - 1;
    auto const [stop, error] = std::from_chars(text.data(), end, number);
    if (unit == ttl_units.end() || error != std::errc() || stop != end) return std::nullopt;
    return std::chrono::seconds(static_cast<std::int64_t>(number) * unit->seconds);
}

}  // namespace engram::daemon
