// A folder for configuration files, gone at the end of a test, and what loading from there comes to.
#pragma once

#include "daemon/config.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace engram::test {

struct config_folder {
    config_folder() {
        char name[] = "/tmp/engram-config-XXXXXX";
        path = ::mkdtemp(name);
        sources.default_file = path + "/engramd.toml";
    }
    ~config_folder() { std::filesystem::remove_all(path); }

    std::string write(std::string const& name, std::string const& text) const {
        std::ofstream(path + "/" + name, std::ios::binary) << text;
        return path + "/" + name;
    }

    void write_file(std::string const& text) { sources.file = write("given.toml", text); }

    daemon::config load() const {
        auto loaded = daemon::load_config(sources);
        for (auto const& problem : loaded ? std::vector<std::string>() : loaded.error().problems)
            BOOST_TEST_MESSAGE(problem);
        BOOST_REQUIRE(loaded.has_value());
        return loaded->values;
    }

    /// The problems, one a line, without the folder's name.
    std::string problems() const {
        auto const loaded = daemon::load_config(sources);
        BOOST_REQUIRE(loaded.has_error());
        std::string out;
        for (auto line : loaded.error().problems) {
            for (auto at = line.find(path + "/"); at != std::string::npos; at = line.find(path + "/"))
                line.erase(at, path.size() + 1);
            out += line + "\n";
        }
        return out;
    }

    std::string path;
    daemon::config_sources sources;
};

inline bool contains(std::string const& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace engram::test
