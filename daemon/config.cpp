#include "daemon/config.hpp"

#include "daemon/config_checks.hpp"
#include "daemon/config_file.hpp"
#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace engram::daemon {
namespace {

constexpr std::size_t max_file_bytes = 1024 * 1024;
constexpr std::string_view variable_prefix = "ENGRAMD_";

class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

struct file_read {
    std::string text;
    std::string error;  // empty: `text` is the whole file
    bool missing = false;
};

file_read failed_read(int error) {
    return {{}, std::system_category().message(error), error == ENOENT};
}

/// The whole file, bounded: somebody may have named a device.
file_read read_file(std::string const& path) {
    descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return failed_read(errno);
    file_read result;
    char buffer[16 * 1024];
    while (true) {
        auto const count = ::read(file.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed_read(errno);
        if (count == 0) return result;
        result.text.append(buffer, static_cast<std::size_t>(count));
        if (result.text.size() > max_file_bytes) return {{}, "it is longer than 1 MiB", false};
    }
}

/// REQUIRES: the categories were checked, as assign() does.
void set_types(config& values) {
    values.chat.types = *workers::categories::make(values.categories);
}

/// One load: the sources are applied in order and every problem is kept.
class loader {
public:
    void read_from_file(config_sources const& sources) {
        auto const& path = sources.file ? *sources.file : sources.default_file;
        auto const file = read_file(path);
        if (file.missing && !sources.file) return;
        if (!file.error.empty()) {
            problems_.push_back(path + ": cannot read the configuration: " + file.error);
            return;
        }
        loaded_.file = path;
        auto parsed = parse_settings(file.text, path);
        for (auto& problem : parsed.problems)
            problems_.push_back(std::move(problem));
        for (auto const& setting : parsed.settings) {
            store(*find_key(setting.key), setting.value, setting.origin, setting.origin + ": " + setting.key);
        }
    }

    void read_from_environment(std::vector<std::string> const& environment) {
        for (std::string_view const line : environment) {
            if (!line.starts_with(variable_prefix)) continue;
            auto const equals = line.find('=');
            if (equals == std::string_view::npos) continue;
            auto const name = line.substr(0, equals);
            if (auto const* key = find_by_variable(name)) {
                store_text(*key, line.substr(equals + 1), std::string(name),
                           std::string(name) + " in the environment");
            } else {
                problems_.push_back(unknown_variable(name));
            }
        }
    }

    void read_from_command_line(std::vector<std::string> const& settings) {
        for (std::string_view const setting : settings) {
            auto const equals = setting.find('=');
            auto const name = setting.substr(0, equals);
            if (auto const* key = find_key(name); !key) {
                problems_.push_back("--set: " + unknown_key_message(name));
            } else if (equals == std::string_view::npos) {
                problems_.push_back("--set " + std::string(name) + ": needs a value: --set " +
                                    std::string(name) + "=…");
            } else {
                store_text(*key, setting.substr(equals + 1), "--set", "--set " + std::string(name));
            }
        }
    }

    base::result<loaded_config, config_error> finish() {
        if (problems_.empty()) problems_ = cross_check(loaded_.values);
        if (!problems_.empty()) return config_error{std::move(problems_)};
        set_types(loaded_.values);
        loaded_.warnings = find_warnings(loaded_.values);
        return std::move(loaded_);
    }

private:
    static config_key const* find_by_variable(std::string_view name) {
        for (auto const& key : config_keys()) {
            if (environment_name(key.name) == name) return &key;
        }
        return nullptr;
    }

    static std::string unknown_variable(std::string_view name) {
        // In the form of a key as far as it can be told, so that the advice for keys fits.
        std::string key;
        for (char const c : name.substr(variable_prefix.size())) {
            bool const first_part = key.find('.') == std::string::npos;
            key += c == '_' && first_part ? '.' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
        }
        return "environment, a variable that begins with ENGRAMD_: " + unknown_key_message(key);
    }

    void store_text(config_key const& key, std::string_view text, std::string origin,
                    std::string const& where) {
        auto const value = read_text(key, text);
        if (value) {
            store(key, *value, std::move(origin), where);
        } else {
            problems_.push_back(where + ": " + value.error().text);
        }
    }

    void store(config_key const& key, config_value const& value, std::string origin,
               std::string const& where) {
        auto const stored = assign(key, value, loaded_.values);
        if (stored) {
            loaded_.origins.insert_or_assign(std::string(key.name), std::move(origin));
        } else {
            problems_.push_back(where + ": " + stored.error().text);
        }
    }

    loaded_config loaded_;
    std::vector<std::string> problems_;
};

bool same_value(config_key const& key, config const& a, config const& b) {
    return to_toml(value_of(key, a)) == to_toml(value_of(key, b));
}

std::string printable(std::string_view text) {
    std::string out;
    for (unsigned char const c : text)
        out += (c < 0x20 || c == 0x7F) ? '?' : static_cast<char>(c);
    return out;
}

std::string section_of(std::string_view key) {
    return std::string(key.substr(0, key.find('.')));
}

}  // namespace

base::result<loaded_config, config_error> load_config(config_sources const& sources) {
    loader load;
    load.read_from_file(sources);
    load.read_from_environment(sources.environment);
    load.read_from_command_line(sources.settings);
    return load.finish();
}

std::vector<std::string> process_environment() {
    std::vector<std::string> lines;
    for (char** line = environ; line && *line; ++line)
        lines.emplace_back(*line);
    return lines;
}

std::string describe(loaded_config const& loaded, std::string_view api_key_origin,
                     std::string_view embedding_key_origin) {
    std::string out =
        "# configuration file: " + (loaded.file.empty() ? "none" : printable(loaded.file)) + "\n";
    out += "# Claude API key: " + std::string(api_key_origin) + "\n";
    out += "# embedding API key: " + std::string(embedding_key_origin) + "\n";
    for (auto const& warning : loaded.warnings)
        out += "# warning: " + warning + "\n";
    std::string section;
    for (auto const& key : config_keys()) {
        if (section_of(key.name) != section) {
            section = section_of(key.name);
            out += "\n[" + section + "]\n";
        }
        auto value = value_of(key, loaded.values);
        if (auto* text = std::get_if<std::string>(&value)) *text = redact_url(*text);
        if (auto* list = std::get_if<std::vector<std::string>>(&value))
            std::ranges::transform(*list, list->begin(), redact_url);
        auto const origin = loaded.origins.find(key.name);
        out += std::string(key.name.substr(section.size() + 1)) + " = " + to_toml(value) + "  # " +
               (origin == loaded.origins.end() ? "default" : printable(origin->second)) + "\n";
    }
    return out;
}

reload_plan plan_reload(config const& running, config const& fresh) {
    reload_plan plan;
    plan.next = running;
    for (auto const& key : config_keys()) {
        if (same_value(key, running, fresh)) continue;
        if (!key.reloadable) {
            plan.need_restart.push_back(key.name);
            continue;
        }
        // The value comes out of a checked configuration, so it fits.
        if (assign(key, value_of(key, fresh), plan.next)) plan.applied.push_back(key.name);
    }
    set_types(plan.next);
    return plan;
}

std::string redact_url(std::string_view text) {
    auto const scheme = text.find("://");
    auto const at = text.rfind('@');
    if (scheme == std::string_view::npos || at == std::string_view::npos || at < scheme + 3)
        return std::string(text);
    auto const login = text.substr(scheme + 3, at - scheme - 3);
    auto const colon = login.find(':');
    // Without a colon it is a user or, as some write it, a password.
    auto const user =
        colon == std::string_view::npos ? std::string() : std::string(login.substr(0, colon)) + ":";
    return std::string(text.substr(0, scheme + 3)) + user + "***" + std::string(text.substr(at));
}

}  // namespace engram::daemon
