#include "ctl/dead_letter.hpp"

#include "base/utf8.hpp"
#include "ctl/display.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <charconv>

namespace engram::ctl {

namespace json = boost::json;

namespace {

constexpr std::string_view known_fields[] = {"id", "reason", "message", "job", "at", "attempts"};

std::string shown(std::optional<std::string_view> value) {
    return value && !value->empty() ? safe_text(*value) : "-";
}

json::value text_or_null(std::optional<std::string_view> value) {
    return value ? json_text(*value) : json::value(nullptr);
}

json::value number_or_null(std::optional<std::string_view> value) {
    auto const number = whole_number(value.value_or(""), -1);
    return number < 0 ? json::value(nullptr) : json::value(number);
}

std::string moment(dead_letter const& letter) {
    return utc_text(whole_number(letter.field("at").value_or(""), -1));
}

std::optional<std::uint64_t> part_of_id(std::string_view digits) {
    std::uint64_t number = 0;
    auto const end = digits.data() + digits.size();
    auto const read = std::from_chars(digits.data(), end, number);
    if (digits.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return number;
}

bool read_fields(redis::value& list, dead_letter& into) {
    if (list.items.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < list.items.size(); i += 2)
        into.fields.emplace_back(std::move(list.items[i].text), std::move(list.items[i + 1].text));
    return true;
}

}  // namespace

std::optional<std::string_view> dead_letter::field(std::string_view name) const {
    for (auto const& [key, value] : fields)
        if (key == name) return value;
    return std::nullopt;
}

std::size_t dead_letter::bytes() const {
    std::size_t total = 0;
    for (auto const& [key, value] : fields)
        total += key.size() + value.size();
    return total;
}

std::optional<std::vector<dead_letter>> read_dead_letters(redis::value&& range) {
    if (!range.is_array()) return std::nullopt;
    std::vector<dead_letter> letters;
    for (auto& item : range.items) {
        if (item.items.size() != 2 || !item.items[0].is_text()) return std::nullopt;
        dead_letter letter{std::move(item.items[0].text), {}};
        if (!read_fields(item.items[1], letter)) return std::nullopt;
        letters.push_back(std::move(letter));
    }
    return letters;
}

std::size_t next_piece(std::size_t count, std::size_t bytes) {
    constexpr std::size_t most_entries = 100, wanted_bytes = 2 * 1024 * 1024, first_piece = 8;
    auto const each = std::max<std::size_t>(bytes / std::max<std::size_t>(count, 1), 1);
    return std::clamp<std::size_t>(wanted_bytes / each, 1, std::min(most_entries, count * 4 + first_piece));
}

std::optional<std::string> entry_id(std::string_view given) {
    auto const dash = given.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    auto const ms = part_of_id(given.substr(0, dash));
    auto const sequence = part_of_id(given.substr(dash + 1));
    if (!ms || !sequence) return std::nullopt;
    return std::to_string(*ms) + '-' + std::to_string(*sequence);
}

std::string not_an_entry(std::string_view given) {
    return "'" + cut_text(safe_text(given), 60) +
           "' is no entry; one looks like 1767225600000-0 (engramctl dead list shows them)";
}

std::vector<std::string> dead_letter_headings() {
    return {"ENTRY", "WHEN", "REASON", "JOB ID", "ATTEMPTS", "MESSAGE"};
}

std::vector<std::string> dead_letter_cells(dead_letter const& letter) {
    return {letter.entry,
            moment(letter),
            cut_text(shown(letter.field("reason")), 24),
            cut_text(shown(letter.field("id")), 40),
            cut_text(shown(letter.field("attempts")), 8),
            cut_text(shown(letter.field("message")), 60)};
}

json::object dead_letter_summary(dead_letter const& letter) {
    json::object out;
    out["entry"] = json_text(letter.entry);
    out["at"] = number_or_null(letter.field("at"));
    for (auto const* const name : {"reason", "id"})
        out[name] = text_or_null(letter.field(name));
    out["attempts"] = number_or_null(letter.field("attempts"));
    out["message"] = text_or_null(letter.field("message"));
    auto const job = letter.field("job");
    out["job_bytes"] = job ? json::value(job->size()) : json::value(nullptr);
    return out;
}

std::string dead_letter_page(dead_letter const& letter) {
    std::vector<std::vector<std::string>> lines{{"entry", letter.entry},
                                                {"when", moment(letter)},
                                                {"reason", shown(letter.field("reason"))},
                                                {"job id", shown(letter.field("id"))},
                                                {"attempts", shown(letter.field("attempts"))},
                                                {"message", shown(letter.field("message"))}};
    for (auto const& [key, value] : letter.fields) {
        if (std::find(std::begin(known_fields), std::end(known_fields), key) == std::end(known_fields))
            lines.push_back({safe_text(key), shown(value)});
    }
    auto const job = letter.field("job");
    lines.push_back({"job", job ? count_of(job->size(), "byte") : "missing"});
    auto out = table(lines);
    if (job && !job->empty()) out += safe_text(*job) + '\n';
    return out;
}

json::object dead_letter_document(dead_letter const& letter) {
    auto out = dead_letter_summary(letter);
    auto const job = letter.field("job");
    bool const is_text = job && base::is_utf8(*job);
    out["job"] = is_text ? json_text(*job) : json::value(nullptr);
    if (job && !is_text) out["job_base64"] = base64(*job);
    json::object others;
    for (auto const& [key, value] : letter.fields) {
        if (std::find(std::begin(known_fields), std::end(known_fields), key) == std::end(known_fields))
            others[base::to_utf8(key)] = json_text(value);
    }
    if (!others.empty()) out["other_fields"] = std::move(others);
    return out;
}

}  // namespace engram::ctl
