#include "daemon/config_file.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace engram::daemon {
namespace {

constexpr std::int64_t most_per_user = 1'000'000;

std::string place(std::string const& file, toml::source_region const& where) {
    return where.begin ? file + ":" + std::to_string(where.begin.line) : file;
}

/// The library's parser and its tables recurse with each level of nesting, and dotted keys make levels
/// without end. Nothing here is nested deeper than three.
bool too_deep(std::string_view text) {
    constexpr std::size_t most_dots = 2'000;
    std::size_t dots = 0;
    for (char const c : text) {
        if (c == '\n') dots = 0;
        if (c == '.' && ++dots > most_dots) return true;
    }
    return false;
}

/// The price in one table, or what is wrong with it.
base::result<claude::price, complaint> read_price(toml::table const& table) {
    claude::price price;
    bool has_model = false;
    for (auto const& [name, node] : table) {
        if (name == "model") {
            auto const text = node.value_exact<std::string>();
            if (!text) return complaint{"needs model as text"};
            price.model = *text;
            has_model = true;
            continue;
        }
        double* const amount = name == "input"         ? &price.input
                               : name == "output"      ? &price.output
                               : name == "cache_write" ? &price.cache_write
                               : name == "cache_read"  ? &price.cache_read
                                                       : nullptr;
        if (!amount) return complaint{"has no key " + std::string(name.str())};
        if (!node.is_number()) return complaint{"needs " + std::string(name.str()) + " as a number"};
        *amount = node.value<double>().value_or(0);
    }
    if (!has_model) return complaint{"needs a model in each entry"};
    for (auto const* name : {"input", "output"}) {
        if (!table.contains(name)) return complaint{std::string("needs ") + name + " in each entry"};
    }
    // Anthropic's ratios, for a price that names only the two main amounts.
    if (!table.contains("cache_write")) price.cache_write = 1.25 * price.input;
    if (!table.contains("cache_read")) price.cache_read = 0.1 * price.input;
    return price;
}

/// The category in one table, or what is wrong with its form.
base::result<workers::category, complaint> read_category(toml::table const& table) {
    workers::category category;
    for (auto const& [name, node] : table) {
        if (name == "name" || name == "description") {
            auto text = node.value_exact<std::string>();
            if (!text) return complaint{"needs " + std::string(name.str()) + " as text"};
            (name == "name" ? category.name : category.description) = *std::move(text);
        } else if (name == "max_per_user") {
            auto const number = node.value_exact<std::int64_t>();
            if (!number || *number < 0 || *number > most_per_user)
                return complaint{"needs max_per_user as an integer from 0 to " +
                                 std::to_string(most_per_user)};
            category.max_per_user = static_cast<std::size_t>(*number);
        } else if (name == "ttl") {
            auto const text = node.value_exact<std::string>();
            auto const ttl = text ? read_ttl(*text) : std::nullopt;
            if (!ttl && node.value_exact<std::int64_t>() != 0)
                return complaint{R"(needs ttl as "90d", "12h", "30m" or "45s", or 0 for no end)"};
            category.ttl = ttl.value_or(std::chrono::seconds(0));
        } else {
            return complaint{"has no key " + std::string(name.str())};
        }
    }
    if (!table.contains("name")) return complaint{"needs a name in each entry"};
    return category;
}

template <class Table>
base::result<config_value, complaint> read_tables(
    toml::array const& array, base::result<Table, complaint> (*read)(toml::table const&)) {
    std::vector<Table> tables;
    for (auto const& item : array) {
        auto table = read(*item.as_table());
        if (!table) return table.error();
        tables.push_back(*std::move(table));
    }
    return config_value(std::move(tables));
}

base::result<config_value, complaint> read_array(config_key const& key, toml::array const& array) {
    if (array.is_homogeneous(toml::node_type::table)) {
        config defaults;
        auto const slot = key.at(defaults);
        if (std::holds_alternative<price_list*>(slot)) return read_tables(array, read_price);
        if (std::holds_alternative<category_list*>(slot)) return read_tables(array, read_category);
        return complaint{"has an entry of a wrong type"};
    }
    text_list list;
    for (auto const& item : array) {
        auto text = item.value_exact<std::string>();
        if (!text) return complaint{"has an entry of a wrong type"};
        list.push_back(*std::move(text));
    }
    return config_value(std::move(list));
}

base::result<config_value, complaint> read_node(config_key const& key, toml::node const& node) {
    if (auto const flag = node.value_exact<bool>()) return config_value(*flag);
    if (auto const number = node.value_exact<std::int64_t>()) return config_value(*number);
    if (auto text = node.value_exact<std::string>()) return config_value(*std::move(text));
    if (auto const* array = node.as_array()) return read_array(key, *array);
    return complaint{"has a wrong type"};
}

void read_section(std::string const& section, toml::table const& table, std::string const& file,
                  file_settings& out) {
    for (auto const& [name, node] : table) {
        auto const full_name = section + "." + std::string(name.str());
        auto const where = place(file, name.source());
        auto const* key = find_key(full_name);
        if (!key) {
            out.problems.push_back(where + ": " + unknown_key_message(full_name));
            continue;
        }
        auto value = read_node(*key, node);
        if (!value) {
            out.problems.push_back(where + ": " + full_name + ": must be " + type_name(*key) + "; it " +
                                   value.error().text);
            continue;
        }
        out.settings.push_back({full_name, *std::move(value), where});
    }
}

}  // namespace

file_settings parse_settings(std::string_view text, std::string const& name) {
    file_settings out;
    if (too_deep(text)) {
        out.problems.push_back(name + ": not a configuration: a line has too many dots");
        return out;
    }
    auto const parsed = toml::parse(text);
    if (!parsed) {
        out.problems.push_back(place(name, parsed.error().source()) +
                               ": not TOML: " + std::string(parsed.error().description()));
        return out;
    }
    for (auto const& [section, node] : parsed.table()) {
        auto const section_name = std::string(section.str());
        auto const where = place(name, section.source());
        if (!is_section(section_name)) {
            out.problems.push_back(where + ": " + unknown_key_message(section_name));
        } else if (auto const* table = node.as_table()) {
            read_section(section_name, *table, name, out);
        } else {
            out.problems.push_back(where + ": " + section_name + " must be a section: [" + section_name +
                                   "]");
        }
    }
    return out;
}

base::result<config_value, complaint> parse_toml_value(config_key const& key, std::string_view text) {
    if (too_deep(text)) return complaint{"has too many dots"};
    auto const parsed = toml::parse("value = " + std::string(text));
    if (!parsed) return complaint{"is not TOML: " + std::string(parsed.error().description())};
    auto const* node = parsed.table().get("value");
    if (!node || parsed.table().size() != 1) return complaint{"must be one TOML value"};
    return read_node(key, *node);
}

}  // namespace engram::daemon
