// A copy of the database while daemons use it.
#pragma once

#include "backup/copying.hpp"

#include <string>

namespace engram::backup {

/// Makes `file`, of mode 0600, a copy of one moment of `database`, checked and on the disk. Others go on
/// reading and writing meanwhile; their log grows until it is done. It has its name only when it is whole;
/// until then it is `<file>.part-<random>`, which an end by force leaves behind. `replace`: a file that is
/// there already makes room, with its log, unless somebody uses it. Throws failure.
contents back_up(std::string const& database, std::string const& file, bool replace);

}  // namespace engram::backup
