#include "reference.hpp"

#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"

#include <string_view>

namespace engram::daemon {
namespace {

constexpr char const* head =
    "# Configuration of engramd, the daemon of engram.\n"
    "#\n"
    "# Every key stands here with its default, commented out. A value comes from, later beats earlier:\n"
    "# the default, this file, the environment (ENGRAMD_REDIS_URL for redis.url), --set redis.url=...\n"
    "# `engramd --check-config` shows what would run and where each value came from. After a change:\n"
    "# `systemctl reload engramd` for the keys marked \"reloadable\", `systemctl restart engramd` for the "
    "others\n"
    "# (no job is lost).\n";

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

bool is_number(config_key const& key) {
    config defaults;
    return std::holds_alternative<std::int64_t>(value_of(key, defaults));
}

std::string default_of(config_key const& key) {
    return to_toml(value_of(key, config()));
}

std::string short_name(config_key const& key) {
    return std::string(key.name.substr(key.name.find('.') + 1));
}

std::string type_of(config_key const& key) {
    return replace_all(type_name(key), "text in quotation marks", "text");
}

/// As prose: "ms, 1 to 600000".
std::string domain_of(config_key const& key) {
    if (is_number(key))
        return std::string(key.unit) + ", " + std::to_string(key.min) + " to " + std::to_string(key.max);
    return type_of(key) + (key.unit.empty() ? "" : ", " + std::string(key.unit));
}

/// Behind a sign and a blank, as prose is: it is not the default.
std::string example_of(config_key const& key) {
    if (key.example.empty()) return {};
    auto const lines = key.example.substr(0, key.example.find_last_not_of('\n') + 1);
    auto const text = "#\n# In place of that line, for example:\n#\n# " +
                      replace_all(std::string(lines), "\n", "\n# ") + "\n";
    return replace_all(text, "# \n", "#\n");
}

}  // namespace

std::string render_commented_file() {
    std::string out = head;
    for (auto const& section : config_sections()) {
        out += "\n# " + replace_all(std::string(section.help), "\n", "\n# ") + "\n[" +
               std::string(section.name) + "]\n";
        for (auto const& key : config_keys()) {
            if (!key.name.starts_with(std::string(section.name) + ".")) continue;
            out += "\n# " + replace_all(std::string(key.help), "\n", "\n# ") + "\n# (" + domain_of(key) +
                   (key.reloadable ? "; reloadable" : "") + ")\n#" + short_name(key) + " = " +
                   default_of(key) + "\n" + example_of(key);
        }
    }
    return out;
}

std::string render_table() {
    std::string out =
        "| key | type and range | default | unit | SIGHUP | meaning |\n|---|---|---|---|---|---|\n";
    for (auto const& key : config_keys()) {
        auto const type = is_number(key)
                              ? "integer, " + std::to_string(key.min) + " to " + std::to_string(key.max)
                              : type_of(key);
        auto const help = replace_all(replace_all(std::string(key.help), "\n", " "), "|", "\\|");
        out += "| `" + std::string(key.name) + "` | " + type + " | `" + default_of(key) + "` | " +
               std::string(key.unit) + " | " + (key.reloadable ? "yes" : "restart") + " | " +
               replace_all(replace_all(help, "<", "&lt;"), ">", "&gt;") + " |\n";
    }
    return out;
}

}  // namespace engram::daemon
