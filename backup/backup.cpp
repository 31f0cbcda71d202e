#include "backup/backup.hpp"

#include "backup/new_file.hpp"
#include "base/failpoint.hpp"
#include "base/random_id.hpp"

#include <filesystem>

namespace engram::backup {

namespace fs = std::filesystem;

contents back_up(std::string const& database, std::string const& file, bool replace) {
    auto const source_path = resolved(database);
    auto const target = fs::absolute(file).string();
    check_target(source_path, target, replace);
    auto const part = target + ".part-" + base::random_hex(8);
    contents found;
    {
        auto source = open_source(source_path);
        found = copy_into(source, part);
    }
    base::failpoint("backup_copied");
    give_name(part, target, replace);
    sync_folder_of(target);
    return found;
}

}  // namespace engram::backup
