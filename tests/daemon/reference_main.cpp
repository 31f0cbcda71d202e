// Prints the files that follow from the table of configuration keys.
#include "reference.hpp"

#include <iostream>
#include <string_view>

int main(int argc, char** argv) {
    std::string_view const what = argc == 2 ? argv[1] : "";
    if (what == "file") {
        std::cout << engram::daemon::render_commented_file();
    } else if (what == "table") {
        std::cout << engram::daemon::render_table();
    } else {
        std::cerr << "usage: config_reference file > etc/engramd.toml, or config_reference table\n";
        return 64;
    }
    return 0;
}
