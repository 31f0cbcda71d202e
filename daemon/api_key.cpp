#include "daemon/api_key.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

namespace engram::daemon {
namespace {

constexpr std::size_t max_key_bytes = 4096;

std::string_view trim(std::string_view text) {
    auto const first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

base::result<api_key, api_key_error> checked(std::string_view text, std::string origin) {
    auto const key = trim(text);
    if (key.size() > max_key_bytes)
        return api_key_error{"the API key of " + origin + " is longer than 4096 bytes"};
    bool const usable = std::ranges::all_of(key, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
    if (!usable) {
        return api_key_error{"the API key of " + origin +
                             " holds blanks or other than visible ASCII; write the key alone, on one line"};
    }
    return api_key{base::secret(std::string(key)), std::move(origin)};
}

struct close_file {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::optional<base::result<api_key, api_key_error>> read_credential(std::string const& path) {
    using result = base::result<api_key, api_key_error>;
    std::unique_ptr<std::FILE, close_file> const file(std::fopen(path.c_str(), "rbe"));
    if (!file && errno == ENOENT) return std::nullopt;
    auto const failed = [&](int error) {
        return result(api_key_error{"cannot read the API key from " + path + ": " +
                                    std::system_category().message(error)});
    };
    if (!file) return failed(errno);
    // Unbuffered, so that no copy of the key stays behind in freed memory.
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    char buffer[max_key_bytes + 16];
    auto const count = std::fread(buffer, 1, sizeof buffer, file.get());
    if (std::ferror(file.get())) return failed(errno);
    auto key = checked(std::string_view(buffer, count), path);
    OPENSSL_cleanse(buffer, sizeof buffer);
    return key;
}

namespace {

base::result<api_key, api_key_error> load_key(get_variable const& variable, std::string const& credential,
                                              char const* name) {
    if (char const* directory = variable("CREDENTIALS_DIRECTORY"); directory && *directory) {
        auto key = read_credential(std::string(directory) + "/" + credential);
        // An empty credential is what the package installs; the variable may still hold a key.
        if (key && (key->has_error() || !(*key)->value.empty())) return *std::move(key);
    }
    if (char const* text = variable(name)) {
        auto key = checked(text, name);
        if (key.has_error() || !key->value.empty()) return key;
    }
    return api_key{{}, "not set"};
}

}  // namespace

base::result<api_key, api_key_error> load_api_key(get_variable const& variable) {
    return load_key(variable, "anthropic_api_key", "ANTHROPIC_API_KEY");
}

base::result<api_key, api_key_error> load_embedding_key(get_variable const& variable) {
    return load_key(variable, "embedding_api_key", "EMBEDDING_API_KEY");
}

}  // namespace engram::daemon
