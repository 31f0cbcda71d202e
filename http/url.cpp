#include "http/url.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace engram::http {
namespace {

/// What is read, and what messages call it.
struct named_text {
    std::string_view text;
    std::string_view name;
};

[[noreturn]] void refuse(named_text what, std::string_view why) {
    std::string shown;
    for (char const c : what.text.substr(0, 200))
        shown += c > 0x20 && c < 0x7f ? c : '?';
    throw std::invalid_argument(std::string(what.name) + ", '" + shown + "', " + std::string(why));
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

bool take_scheme(std::string_view& rest, std::string_view scheme) {
    if (rest.size() < scheme.size()) return false;
    auto const same = [](char a, char b) { return a == to_lower(b); };
    if (!std::equal(scheme.begin(), scheme.end(), rest.begin(), same)) return false;
    rest.remove_prefix(scheme.size());
    return true;
}

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_address6_char(char c) {
    return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

std::uint16_t read_port(named_text what, std::string_view digits) {
    unsigned port = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535)
        refuse(what, "has no valid port (1 to 65535)");
    return std::uint16_t(port);
}

void read_authority(named_text what, std::string_view authority, base_url& url) {
    if (authority.find('@') != authority.npos)
        throw std::invalid_argument(std::string(what.name) + " must not hold a user name or a password");
    std::string_view host = authority;
    std::string_view port;
    bool const bracketed = authority.starts_with('[');
    if (bracketed) {
        auto const end = authority.find(']');
        if (end == authority.npos) refuse(what, "has a bracket that is not closed");
        host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
        if (!port.empty() && port[0] != ':') refuse(what, "has something other than a port after its host");
    } else if (auto const colon = authority.find(':'); colon != authority.npos) {
        host = authority.substr(0, colon);
        port = authority.substr(colon);
    }
    if (port.size() > 1)
        url.port = read_port(what, port.substr(1));
    else if (!port.empty())
        refuse(what, "has no valid port (1 to 65535)");
    std::transform(host.begin(), host.end(), std::back_inserter(url.host), to_lower);
    auto const allowed = bracketed ? is_address6_char : is_name_char;
    if (url.host.empty() || url.host.size() > 253) refuse(what, "has no valid host");
    if (!std::all_of(url.host.begin(), url.host.end(), allowed)) refuse(what, "has no valid host");
}

}  // namespace

std::string base_url::authority() const {
    std::string text = host.find(':') == host.npos ? host : '[' + host + ']';
    if (port != (tls ? 443 : 80)) text += ':' + std::to_string(port);
    return text;
}

bool base_url::is_local() const {
    if (host == "localhost" || host.ends_with(".localhost")) return true;
    boost::system::error_code no_address;
    auto const address = boost::asio::ip::make_address(host, no_address);
    return !no_address && address.is_loopback();
}

base_url parse_base_url(std::string_view text, std::string_view name) {
    named_text const what{text, name};
    base_url url;
    std::string_view rest = text;
    if (take_scheme(rest, "https://"))
        url.tls = true;
    else if (take_scheme(rest, "http://"))
        url.tls = false;
    else
        refuse(what, "must begin with https:// or http://");
    url.port = url.tls ? 443 : 80;

    auto const slash = std::min(rest.find_first_of("/?#"), rest.size());
    read_authority(what, rest.substr(0, slash), url);
    std::string_view path = rest.substr(slash);
    while (path.ends_with('/'))
        path.remove_suffix(1);
    bool const plain = std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!plain || path.find_first_of("?#") != path.npos)
        refuse(what, "must not have blanks, control characters, a query or a fragment");
    url.path = path;
    return url;
}

}  // namespace engram::http
