// A listener that writes down what it hears.
#pragma once

#include "claude/asker.hpp"

#include <string>

namespace engram::tests {

class recorder : public claude::listener {
public:
    void on_text(std::string_view piece) override { heard.append(piece).append("|"); }
    void on_restart() override { heard += "restart|"; }
    void on_end() override { heard += "end"; }

    std::string heard;  ///< each piece followed by "|"
};

}  // namespace engram::tests
