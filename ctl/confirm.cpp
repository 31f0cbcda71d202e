#include "ctl/confirm.hpp"

#include "ctl/complaint.hpp"

#include <algorithm>
#include <iostream>
#include <sysexits.h>
#include <unistd.h>

namespace engram::ctl {

std::optional<int> refuse_without_terminal(std::string_view why) {
    if (isatty(STDIN_FILENO) == 1) return std::nullopt;
    complain("--yes is required where nobody can be asked: " + std::string(why));
    return EX_USAGE;
}

std::optional<int> ask(question const& question) {
    std::cerr << question.text << ' ' << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    auto const& consents = question.consents;
    bool const agreed = std::find(consents.begin(), consents.end(), answer) != consents.end();
    if (agreed && !answer.empty()) return std::nullopt;
    std::cerr << question.refusal << std::endl;
    return EX_OK;
}

}  // namespace engram::ctl
