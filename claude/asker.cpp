#include "claude/asker.hpp"

namespace engram::claude {
namespace {

class null_listener final : public listener {
    void on_text(std::string_view) override {}
    void on_restart() override {}
    void on_end() override {}
};

}  // namespace

listener& ignore_events() {
    static null_listener one_for_all;
    return one_for_all;
}

}  // namespace engram::claude
