#include "recorder.hpp"

#include "json_text.hpp"

#include <boost/json/parse.hpp>

namespace engram::simulator {
namespace json = boost::json;
namespace {

constexpr std::size_t most_bytes = 256UL * 1024 * 1024;

std::size_t size_of(seen_request const& r) {
    return r.body.size() + r.header_lines.size() + r.path.size() + sizeof r;
}

void append_headers(std::string& out, std::string_view lines) {
    out += '{';
    while (!lines.empty()) {
        auto const name = lines.substr(0, lines.find('\0'));
        lines.remove_prefix(std::min(lines.size(), name.size() + 1));
        auto const value = lines.substr(0, lines.find('\0'));
        lines.remove_prefix(std::min(lines.size(), value.size() + 1));
        if (out.back() != '{') out += ',';
        append_json_string(out, name);
        out += ':';
        append_json_string(out, value);
    }
    out += '}';
}

/// The body as it is if it is JSON, otherwise as a string with what is not ASCII replaced.
void append_body(std::string& out, std::string const& body) {
    boost::system::error_code ec;
    [[maybe_unused]] auto const parsed = json::parse(body, ec);
    if (body.empty()) {
        out += R"("body":null)";
    } else if (!ec) {
        out += R"("body":)" + body;
    } else {
        std::string ascii = body.substr(0, 65536);
        for (auto& c : ascii)
            if (static_cast<unsigned char>(c) >= 0x80) c = '?';
        out += R"("body":null,"body_text":)";
        append_json_string(out, ascii);
    }
}

}  // namespace

void recorder::add(seen_request r) {
    r.number = ++last_;
    if (most_ == 0) return;
    bytes_ += size_of(r);
    kept_.push_back(std::move(r));
    while (kept_.size() > most_ || (bytes_ > most_bytes && kept_.size() > 1)) {
        bytes_ -= size_of(kept_.front());
        kept_.pop_front();
    }
}

void recorder::clear() {
    kept_.clear();
    bytes_ = 0;
    last_ = 0;
}

std::string recorder::to_json(std::uint64_t since) const {
    std::string out = R"({"requests":[)";
    for (auto const& r : kept_) {
        if (r.number <= since) continue;
        if (out.back() != '[') out += ',';
        out += R"({"number":)" + std::to_string(r.number) + R"(,"method":)";
        append_json_string(out, r.method);
        out += R"(,"path":)";
        append_json_string(out, r.path);
        out += r.read ? R"(,"read":true,"headers":)" : R"(,"read":false,"headers":)";
        append_headers(out, r.header_lines);
        out += ',';
        append_body(out, r.body);
        out += '}';
    }
    return out + R"(],"last":)" + std::to_string(last_) + '}';
}

std::string redact(std::string_view name, std::string_view value) {
    if (name != "x-api-key" && name != "authorization" && name != "proxy-authorization" && name != "cookie")
        return std::string(value);
    std::string out;
    for (std::string_view scheme : {"Bearer ", "Basic "})
        if (lower_ascii(value.substr(0, scheme.size())) == lower_ascii(scheme)) {
            out = scheme;
            value.remove_prefix(scheme.size());
            break;
        }
    // A key of eight characters or fewer would be told by its last four.
    return out + "..." + std::string(value.size() > 8 ? value.substr(value.size() - 4) : std::string_view());
}

}  // namespace engram::simulator
