#include "claude/error.hpp"

namespace engram::claude {

bool concerns_all(error_kind kind) {
    switch (kind) {
        case error_kind::auth:
        case error_kind::spend_limit:
        case error_kind::on_hold:
        case error_kind::no_api:
        case error_kind::model_gone:
            return true;
        case error_kind::too_long:
        case error_kind::rejected:
        case error_kind::unavailable:
        case error_kind::deadline:
        case error_kind::busy:
            return false;
    }
    return false;
}

std::string loggable(error const& why) {
    if (why.status == 0) return why.message;
    auto text = "HTTP status " + std::to_string(why.status);
    if (!why.code.empty()) text += ' ' + why.code;
    if (!why.wording.empty()) text += ": " + why.wording;
    return text;
}

}  // namespace engram::claude
