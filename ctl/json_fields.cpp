#include "ctl/json_fields.hpp"

#include "ctl/display.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace engram::ctl {

namespace json = boost::json;

namespace {

json::value const* value_in(json::object const& from, std::string_view name) {
    return from.if_contains(json::string_view(name.data(), name.size()));
}

}  // namespace

std::optional<std::string> text_in(json::object const& from, std::string_view name) {
    auto const* const value = value_in(from, name);
    if (!value || !value->is_string()) return std::nullopt;
    return std::string(value->get_string().data(), value->get_string().size());
}

std::optional<std::int64_t> number_in(json::object const& from, std::string_view name) {
    auto const* const value = value_in(from, name);
    return value && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

json::object const* object_in(json::object const& from, std::string_view name) {
    auto const* const value = value_in(from, name);
    return value ? value->if_object() : nullptr;
}

json::array const* objects_in(json::object const& from, std::string_view name) {
    auto const* const value = value_in(from, name);
    auto const* const array = value ? value->if_array() : nullptr;
    bool const fits = array && std::all_of(array->begin(), array->end(),
                                           [](json::value const& element) { return element.is_object(); });
    return fits ? array : nullptr;
}

bool is_true(json::object const& from, std::string_view name) {
    auto const* const value = value_in(from, name);
    return value && value->is_bool() && value->get_bool();
}

std::string text_cell(json::object const& from, std::string_view name, std::size_t most) {
    auto const text = text_in(from, name);
    return text && !text->empty() ? cut_text(safe_text(*text), most) : "-";
}

std::string number_cell(json::object const& from, std::string_view name) {
    auto const number = number_in(from, name);
    return number ? std::to_string(*number) : "-";
}

std::string score_cell(json::object const& from, std::string_view name) {
    auto const* const value = value_in(from, name);
    json::error_code error;
    auto const score = value ? value->to_number<double>(error) : 0;
    if (!value || error || !(std::abs(score) < 1e6)) return "-";
    char text[16];
    std::snprintf(text, sizeof text, "%.2f", score);
    return text;
}

}  // namespace engram::ctl
