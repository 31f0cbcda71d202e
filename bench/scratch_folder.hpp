// A folder for a database that is made for one run.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace engram::bench {

/// A new folder below `parent`, which goes with its owner. Throws std::runtime_error if it cannot be made.
struct scratch_folder {
    explicit scratch_folder(std::filesystem::path const& parent) {
        auto name = (parent / "engram-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("cannot make a folder for the database in " + parent.string());
        path = name;
    }
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    scratch_folder(scratch_folder const&) = delete;
    scratch_folder& operator=(scratch_folder const&) = delete;

    std::filesystem::path path;
};

}  // namespace engram::bench
