// The bytes of a database, as somebody finds them who takes the disk.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace engram::store::test {

/// Whether the bytes of `text` stand anywhere in the database or in the files that SQLite keeps beside it.
[[nodiscard]] inline bool stands_in_files(std::string const& path, std::string const& text) {
    for (auto const* suffix : {"", "-wal", "-journal"}) {
        std::ifstream file(path + suffix, std::ios::binary);
        std::string const bytes{std::istreambuf_iterator<char>(file), {}};
        if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
}

}  // namespace engram::store::test
