#include "queue/scripts.hpp"

#include "base/json_text.hpp"
#include "queue/script_texts.hpp"

#include <string_view>

namespace engram::queue {
namespace {

redis::script with_common(std::string_view own) {
    return redis::script(std::string(script_texts::common) + std::string(own));
}

redis::script with_rights(std::string_view own) {
    return with_common(std::string(script_texts::rights) + std::string(own));
}

}  // namespace

scripts const& all_scripts() {
    static scripts const all{
        with_common(script_texts::take),          with_common(script_texts::finish),
        with_common(script_texts::release),       with_common(script_texts::delay),
        with_rights(script_texts::heartbeat),     with_common(script_texts::reconcile),
        with_common(script_texts::leave),         with_common(script_texts::dead_retry),
        with_common(script_texts::admin_take),    with_common(script_texts::admin_finish),
        with_common(script_texts::admin_release), with_common(script_texts::user_jobs),
        with_common(script_texts::cancel),        with_common(script_texts::dead_without),
        with_common(script_texts::dead_trim),     with_common(script_texts::pace),
        with_common(script_texts::refuse),        with_rights(script_texts::check)};
    return all;
}

std::string list_argument(std::vector<std::string> const& texts) {
    std::string list = "[";
    for (auto const& text : texts) {
        if (list.size() > 1) list += ',';
        base::append_json_string(list, text);
    }
    return list + "]";
}

}  // namespace engram::queue
