#include "ctl/config_file.hpp"

#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <sysexits.h>

namespace engram::ctl {

namespace {

config_complaint wrong(std::string const& path, toml::source_position const& where, std::string const& what) {
    return {path + ":" + std::to_string(where.line) + ": " + what +
                "; mend it, or name Redis with --redis (and the database with --database)",
            EX_CONFIG};
}

// Throws config_complaint.
class section {
public:
    section(toml::table const& all, std::string name, std::string const& path)
        : name_(std::move(name)), path_(path) {
        auto const* const node = all.get(name_);
        if (node == nullptr) return;
        table_ = node->as_table();
        if (table_ == nullptr) throw wrong(path_, node->source().begin, name_ + " must be a section");
    }

    [[nodiscard]] std::optional<std::string> text(std::string_view key) const {
        auto const* const node = find(key);
        if (node == nullptr) return std::nullopt;
        return text_of(*node, key, "a text");
    }

    [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view key) const {
        auto const* const node = find(key);
        if (node == nullptr) return std::nullopt;
        auto const* const list = node->as_array();
        if (list == nullptr) throw complaint_of(*node, key, "a list of texts");
        std::vector<std::string> found;
        for (auto const& one : *list)
            found.push_back(text_of(one, key, "a list of texts"));
        return found;
    }

private:
    [[nodiscard]] toml::node const* find(std::string_view key) const {
        return table_ != nullptr ? table_->get(key) : nullptr;
    }
    [[nodiscard]] config_complaint complaint_of(toml::node const& node, std::string_view key,
                                                std::string const& kind) const {
        return wrong(path_, node.source().begin, name_ + "." + std::string(key) + " must be " + kind);
    }
    [[nodiscard]] std::string text_of(toml::node const& node, std::string_view key,
                                      std::string const& kind) const {
        auto const* const text = node.as_string();
        if (text == nullptr) throw complaint_of(node, key, kind);
        return text->get();
    }

    std::string name_;
    std::string const& path_;
    toml::table const* table_ = nullptr;
};

config_complaint cannot_read(std::string const& path, int error) {
    return {"cannot read " + path + " (" + std::strerror(error) +
                "): run this as root, or name Redis with --redis (and the database with --database)",
            error == EACCES || error == EPERM ? EX_NOPERM : EX_NOINPUT};
}

}  // namespace

base::result<daemon_settings, config_complaint> parse_daemon_settings(std::string const& text,
                                                                      std::string const& path) {
    try {
        auto const all = toml::parse(text, path);
        section const redis(all, "redis", path), store(all, "store", path);
        return daemon_settings{.url = redis.text("url"),
                               .prefix = redis.text("prefix"),
                               .service = redis.text("service"),
                               .ca_file = redis.text("ca_file"),
                               .sentinels = redis.texts("sentinels"),
                               .store_path = store.text("path")};
    } catch (toml::parse_error const& error) {
        return wrong(path, error.source().begin, std::string(error.description()));
    } catch (config_complaint const& complaint) {
        return complaint;
    }
}

base::result<std::optional<daemon_settings>, config_complaint> read_daemon_settings(std::string const& path) {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in && (errno == ENOENT || errno == ENOTDIR)) return std::optional<daemon_settings>();
    if (!in) return cannot_read(path, errno);
    std::string text;
    std::getline(in, text, '\0');  // no TOML holds one
    if (in.bad()) return cannot_read(path, errno);
    auto found = parse_daemon_settings(text, path);
    if (!found) return found.error();
    return std::optional<daemon_settings>(std::move(*found));
}

}  // namespace engram::ctl
