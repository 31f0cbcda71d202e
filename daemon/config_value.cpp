#include "daemon/config_value.hpp"

#include "base/utf8.hpp"
#include "daemon/config_file.hpp"
#include "daemon/config_toml.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <type_traits>

namespace engram::daemon {
namespace {

constexpr std::size_t max_text_bytes = 4096;

template <class... F>
struct overloaded : F... {
    using F::operator()...;
};

template <class T>
struct is_duration : std::false_type {};
template <class R, class P>
struct is_duration<std::chrono::duration<R, P>> : std::true_type {};

template <class T>
constexpr bool is_number = is_duration<T>::value || (std::is_integral_v<T> && !std::is_same_v<T, bool>);

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        auto const at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string_view trim(std::string_view text) {
    auto const first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string text_complaint(config_key const& key, std::string_view text) {
    if (text.size() > max_text_bytes)
        return "must be at most " + std::to_string(max_text_bytes) + " bytes long";
    if (!base::is_utf8(text)) return "must be UTF-8";
    for (unsigned char const c : text) {
        if (c < 0x20 || c == 0x7F) return "must not contain control characters";
    }
    return key.check ? key.check(text) : std::string();
}

std::string must_be(config_key const& key) {
    return "must be " + type_name(key);
}

/// The index of `text` among the key's words, or -1.
int word_index(config_key const& key, std::string_view text) {
    auto const words = split(key.words, '|');
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == text) return static_cast<int>(i);
    }
    return -1;
}

std::string store_number(config_key const& key, config_value const& value, auto& member) {
    auto const* number = std::get_if<std::int64_t>(&value);
    if (!number) return must_be(key);
    if (*number < key.min || *number > key.max) return must_be(key) + ", not " + std::to_string(*number);
    using type = std::remove_reference_t<decltype(member)>;
    member = static_cast<type>(*number);
    return {};
}

std::string store_list(config_key const& key, config_value const& value, text_list& member) {
    auto const* list = std::get_if<text_list>(&value);
    if (!list) return must_be(key);
    for (auto const& item : *list) {
        auto const complaint = text_complaint(key, item);
        if (!complaint.empty()) return "holds an entry that " + complaint;
    }
    member = *list;
    return {};
}

/// None if `value` is no list of such tables. An empty array has no kind of its own.
template <class List>
std::optional<List> tables_in(config_value const& value) {
    if (auto const* tables = std::get_if<List>(&value)) return *tables;
    auto const* list = std::get_if<text_list>(&value);
    return list && list->empty() ? std::optional<List>(List{}) : std::nullopt;
}

std::string store_prices(config_key const& key, config_value const& value, price_list& member) {
    auto prices = tables_in<price_list>(value);
    if (!prices) return must_be(key);
    for (auto const& price : *prices) {
        if (price.model.empty()) return "needs a model in each entry";
        for (double const amount : {price.input, price.output, price.cache_write, price.cache_read}) {
            if (!std::isfinite(amount) || amount < 0 || amount > 1e6)
                return "needs amounts from 0 to 1000000 USD per million tokens";
        }
    }
    member = *std::move(prices);
    return {};
}

std::string store_categories(config_key const& key, config_value const& value, category_list& member) {
    auto categories = tables_in<category_list>(value);
    if (!categories) return must_be(key);
    auto const made = workers::categories::make(*categories);
    if (!made) return made.error();
    member = *std::move(categories);
    return {};
}

/// Enums, and flags that are written as one of two words.
template <class T>
std::string store_word(config_key const& key, config_value const& value, T& member) {
    auto const* text = std::get_if<std::string>(&value);
    int const index = text ? word_index(key, *text) : -1;
    if (index < 0) return must_be(key);
    member = static_cast<T>(index);
    return {};
}

std::string store_flag(config_key const& key, config_value const& value, bool& member) {
    if (!key.words.empty()) return store_word(key, value, member);
    auto const* flag = std::get_if<bool>(&value);
    if (!flag) return must_be(key);
    member = *flag;
    return {};
}

std::string store_text(config_key const& key, config_value const& value, std::string& member) {
    auto const* text = std::get_if<std::string>(&value);
    if (!text) return must_be(key);
    if (!key.words.empty() && word_index(key, *text) < 0) return must_be(key);
    auto complaint = text_complaint(key, *text);
    if (complaint.empty()) member = *text;
    return complaint;
}

std::string store_value(config_key const& key, config_value const& value, config& to) {
    return std::visit(overloaded{
                          [&](bool* member) { return store_flag(key, value, *member); },
                          [&](std::string* member) { return store_text(key, value, *member); },
                          [&](text_list* member) { return store_list(key, value, *member); },
                          [&](price_list* member) { return store_prices(key, value, *member); },
                          [&](category_list* member) { return store_categories(key, value, *member); },
                          [&]<class T>(T* member) {
                              if constexpr (is_number<T>) {
                                  return store_number(key, value, *member);
                              } else {
                                  return store_word(key, value, *member);
                              }
                          },
                      },
                      key.at(to));
}

base::result<config_value, complaint> read_number(config_key const& key, std::string_view text) {
    std::int64_t number = 0;
    auto const trimmed = trim(text);
    auto const [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
    if (error != std::errc() || end != trimmed.data() + trimmed.size()) return complaint{must_be(key)};
    return config_value(number);
}

config_value read_list(std::string_view text) {
    text_list list;
    if (trim(text).empty()) return list;
    for (auto const part : split(text, ','))
        list.emplace_back(trim(part));
    return list;
}

}  // namespace

std::string type_name(config_key const& key) {
    if (!key.words.empty()) {
        std::string list;
        for (auto const word : split(key.words, '|'))
            list += (list.empty() ? "" : ", ") + to_toml(std::string(word));
        return "one of " + list;
    }
    config defaults;
    return std::visit(overloaded{
                          [](bool*) { return std::string("true or false"); },
                          [](std::string*) { return std::string("text in quotation marks"); },
                          [](text_list*) { return std::string("a list of texts"); },
                          [](price_list*) { return std::string("a list of tables"); },
                          [](category_list*) { return std::string("a list of tables"); },
                          [&](auto*) {
                              return "an integer from " + std::to_string(key.min) + " to " +
                                     std::to_string(key.max) +
                                     (key.unit.empty() ? "" : " (" + std::string(key.unit) + ")");
                          },
                      },
                      key.at(defaults));
}

base::result<config_value, complaint> read_text(config_key const& key, std::string_view text) {
    using result = base::result<config_value, complaint>;
    config defaults;
    auto const slot = key.at(defaults);
    if (!key.words.empty() || std::holds_alternative<std::string*>(slot))
        return config_value(std::string(text));
    if (std::holds_alternative<bool*>(slot)) {
        auto const word = trim(text);
        if (word == "true") return config_value(true);
        if (word == "false") return config_value(false);
        return complaint{must_be(key)};
    }
    bool const list = std::holds_alternative<text_list*>(slot);
    if (list || std::holds_alternative<price_list*>(slot) || std::holds_alternative<category_list*>(slot)) {
        if (trim(text).starts_with('[')) return parse_toml_value(key, trim(text));
        return list ? result(read_list(text)) : result(complaint{must_be(key)});
    }
    return read_number(key, text);
}

base::result<void, complaint> assign(config_key const& key, config_value const& value, config& to) {
    auto text = store_value(key, value, to);
    if (!text.empty()) return complaint{std::move(text)};
    return {};
}

config_value value_of(config_key const& key, config const& from) {
    // The slot is only read here; the table has one way to a member, for reading and for writing.
    auto const slot = key.at(const_cast<config&>(from));
    auto const word = [&](auto index) {
        return config_value(std::string(split(key.words, '|').at(static_cast<std::size_t>(index))));
    };
    return std::visit(
        overloaded{
            [&](bool* member) { return key.words.empty() ? config_value(*member) : word(*member); },
            [](std::string* member) { return config_value(*member); },
            [](text_list* member) { return config_value(*member); },
            [](price_list* member) { return config_value(*member); },
            [](category_list* member) { return config_value(*member); },
            [&]<class T>(T* member) {
                if constexpr (is_duration<T>::value) {
                    return config_value(static_cast<std::int64_t>(member->count()));
                } else if constexpr (is_number<T>) {
                    return config_value(static_cast<std::int64_t>(*member));
                } else {
                    return word(*member);
                }
            },
        },
        slot);
}

}  // namespace engram::daemon
