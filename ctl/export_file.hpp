// Where `engramctl user export` writes to.
#pragma once

#include "ctl/complaint.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace engram::ctl {

/// A new file that only its owner may read, or standard output. A file that was not finished is removed: half
/// an export is not to pass for a whole one.
class export_file {
public:
    /// `path` empty: standard output.
    explicit export_file(std::string path) : path_(std::move(path)) {}
    ~export_file();
    export_file(export_file const&) = delete;
    export_file& operator=(export_file const&) = delete;

    /// EX_CANTCREAT if there is a file of that name already, or none can be made.
    [[nodiscard]] std::optional<complaint> open();
    void write(std::string_view text);
    /// EX_IOERR if not all that was written has arrived.
    [[nodiscard]] std::optional<complaint> finish();

private:
    std::string path_;
    std::FILE* file_ = nullptr;
};

}  // namespace engram::ctl
