// The files that are written from the table of keys: etc/engramd.toml and the table in docs/configuration.md.
#pragma once

#include <string>

namespace engram::daemon {

/// The whole of etc/engramd.toml: every key, commented out, at its default.
[[nodiscard]] std::string render_commented_file();

/// The table of docs/configuration.md, without what stands around it.
[[nodiscard]] std::string render_table();

}  // namespace engram::daemon
