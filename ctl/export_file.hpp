// Where `engramctl user export` writes to.
#pragma once

#include "ctl/complaint.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace engram::ctl {

/// A new file that only its owner may read, or standard output. It has its name only when it is whole: half
/// an export is not to pass for one. Until then it is `<path>.part-<random>`, which an end by force leaves
/// behind.
class export_file {
public:
    /// `path` empty: standard output.
    explicit export_file(std::string path) : path_(std::move(path)) {}
    ~export_file();
    export_file(export_file const&) = delete;
    export_file& operator=(export_file const&) = delete;

    /// EX_CANTCREAT if there is something of that name already, or none can be made.
    [[nodiscard]] std::optional<complaint> open();
    void write(std::string_view text);
    /// EX_IOERR if not all that was written has arrived; EX_CANTCREAT if something of that name has come
    /// meanwhile, which is left alone.
    [[nodiscard]] std::optional<complaint> finish();

private:
    std::string path_, part_;
    std::FILE* file_ = nullptr;
};

}  // namespace engram::ctl
