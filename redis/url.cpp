#include "redis/url.hpp"

#include <charconv>
#include <optional>

namespace engram::redis {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        int const high = hex_digit(text[i + 1]);
        int const low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += char(high * 16 + low);
        i += 2;
    }
    return out;
}

std::optional<int> whole_number(std::string_view text, int most) {
    int value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most)
        return std::nullopt;
    return value;
}

constexpr int most_databases = 1'000'000;

// "user:password@" in front of `rest`, removed from it. False if it cannot be read.
bool take_credentials(std::string_view& rest, server_address& address) {
    auto const at = rest.rfind('@');
    if (at == std::string_view::npos) return true;
    auto const credentials = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    auto const colon = credentials.find(':');
    if (colon == std::string_view::npos) return false;
    auto user = percent_decode(credentials.substr(0, colon));
    auto password = percent_decode(credentials.substr(colon + 1));
    if (!user || !password) return false;
    address.user = std::move(*user);
    address.password = base::secret(std::move(*password));
    return true;
}

bool take_host_and_port(std::string_view text, server_address& address) {
    std::string_view port;
    if (text.starts_with('[')) {
        auto const end = text.find(']');
        if (end == std::string_view::npos) return false;
        address.host = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
        if (!text.empty() && text[0] != ':') return false;
        if (!text.empty()) port = text.substr(1);
    } else {
        auto const colon = text.find(':');
        address.host = text.substr(0, colon);
        if (colon != std::string_view::npos) port = text.substr(colon + 1);
        if (port.find(':') != std::string_view::npos) return false;
    }
    if (address.host.find_first_of(" \t\r\n?#[]") != std::string::npos) return false;
    if (address.host.empty()) address.host = "127.0.0.1";
    if (port.empty()) return true;
    auto const number = whole_number(port, 65535);
    if (!number || *number == 0) return false;
    address.port = std::uint16_t(*number);
    return true;
}

base::result<server_address, std::string> parse_local(std::string_view rest, server_address address) {
    auto const query = rest.find('?');
    if (query != std::string_view::npos) {
        auto const parameter = rest.substr(query + 1);
        auto const db =
            parameter.starts_with("db=") ? whole_number(parameter.substr(3), most_databases) : std::nullopt;
        if (!db) return std::string("after the socket's path only ?db=NUMBER is known");
        address.db = *db;
        rest = rest.substr(0, query);
    }
    // The path begins at the first slash; what stands before it are credentials.
    auto const slash = rest.find('/');
    if (slash == std::string_view::npos) return std::string("a unix:// URL needs the path of a socket");
    auto credentials = rest.substr(0, slash);
    if (!credentials.empty() && (!take_credentials(credentials, address) || !credentials.empty()))
        return std::string("before the path of a unix:// URL only user:password@ may stand");
    auto path = percent_decode(rest.substr(slash));
    if (!path) return std::string("a % in the path is not followed by two hexadecimal digits");
    address.host = std::move(*path);
    return address;
}

}  // namespace

std::string server_address::to_text() const {
    std::string const name = user.empty() ? "" : user + "@";
    if (kind == kind::local) return "unix://" + name + host + (db ? "?db=" + std::to_string(db) : "");
    std::string const shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return (kind == kind::tls ? "rediss://" : "redis://") + name + shown + ":" + std::to_string(port) +
           (db ? "/" + std::to_string(db) : "");
}

base::result<server_address, std::string> parse_url(std::string_view url) {
    server_address address;
    auto const scheme_end = url.find("://");
    auto const scheme = scheme_end == std::string_view::npos ? std::string_view() : url.substr(0, scheme_end);
    auto rest = scheme_end == std::string_view::npos ? std::string_view() : url.substr(scheme_end + 3);
    if (scheme == "redis")
        address.kind = server_address::kind::tcp;
    else if (scheme == "rediss")
        address.kind = server_address::kind::tls;
    else if (scheme == "unix")
        address.kind = server_address::kind::local;
    else
        return std::string("must begin with redis://, rediss:// or unix://");

    if (address.kind == server_address::kind::local) return parse_local(rest, std::move(address));
    if (!take_credentials(rest, address))
        return std::string("the part before @ must be user:password (percent-encoded)");
    auto const slash = rest.find('/');
    if (slash != std::string_view::npos && slash + 1 < rest.size()) {
        auto const db = whole_number(rest.substr(slash + 1), most_databases);
        if (!db) return std::string("the part after the host must be the number of a database");
        address.db = *db;
    }
    if (!take_host_and_port(rest.substr(0, slash), address))
        return std::string("host and port cannot be read");
    return address;
}

}  // namespace engram::redis
