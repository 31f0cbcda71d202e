#include "http_request.hpp"

#include "json_text.hpp"
#include "recorder.hpp"

#include <algorithm>

namespace engram::simulator {

std::string_view http_request::parameter(std::string_view name) const {
    auto const mark = target.find('?');
    if (mark == std::string::npos) return {};
    for (auto rest = std::string_view(target).substr(mark + 1); !rest.empty();) {
        auto const pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return pair.substr(name.size() + 1);
    }
    return {};
}

request_reader::request_reader(http_request& into, bool keep_headers)
    : into_(into), keep_headers_(keep_headers) {
    eager(true);
    header_limit(64 * 1024);
    body_limit(most_body_bytes);
}

void request_reader::on_request_impl(verb, string_view method, string_view target, int, error_code&) {
    into_.method.assign(method);
    into_.target.assign(target);
}

void request_reader::on_field_impl(field f, string_view name, string_view value, error_code&) {
    if (f == field::authorization) {
        into_.authorization.assign(value);
        into_.has_authorization = true;
    } else if (f == field::content_encoding) {
        into_.content_encoding.assign(value);
    } else if (f == field::expect) {
        into_.expects_continue = lower_ascii(value) == "100-continue";
    } else if (f == field::unknown) {
        auto const low = lower_ascii(name);
        if (low == "x-api-key") {
            into_.api_key.assign(value);
            into_.has_api_key = true;
        } else if (low == "anthropic-version") {
            into_.version.assign(value);
            into_.has_version = true;
        }
    }
    if (!keep_headers_) return;
    auto const low = lower_ascii(name);
    auto shown = redact(low, value);
    // Header bytes beyond ASCII have no encoding; what is read back is JSON.
    for (auto& c : shown)
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    into_.header_lines += low;
    into_.header_lines += '\0';
    into_.header_lines += shown;
    into_.header_lines += '\0';
}

void request_reader::on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) {
    if (length) into_.body.reserve(std::min<std::size_t>(*length, 1024 * 1024));
}

std::size_t request_reader::on_body_impl(string_view bytes, error_code&) {
    into_.body.append(bytes);
    return bytes.size();
}

std::size_t request_reader::on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) {
    into_.body.append(bytes);
    return bytes.size();
}

}  // namespace engram::simulator
