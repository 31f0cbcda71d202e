// The models that the simulator knows, and what each refuses. Figures as published in autumn 2026.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace engram::simulator {

enum class thinking_rule {
    manual,              ///< off; `enabled` with a budget, no `adaptive`
    manual_or_adaptive,  ///< off; `enabled` and `adaptive`
    adaptive,            ///< off; `adaptive` only
    on,                  ///< on; `disabled` turns it off
    on_by_effort,        ///< on; `disabled` turns it off, up to effort `high`
    on_between_tools,    ///< on; only `between_tools` limits it
    always,              ///< on, no switch
};

enum class sampling_rule {
    one_of,        ///< temperature or top_p, not both
    free,          ///< as documented, in range
    default_only,  ///< anything but the default is refused
};

struct model_info {
    std::string_view id;       ///< what a request names
    std::string_view full_id;  ///< what a reply names
    std::string_view display_name;
    std::string_view created_at;
    std::int64_t context_tokens;
    std::int64_t max_output_tokens;
    std::int64_t cache_minimum_tokens;
    thinking_rule thinking;
    sampling_rule sampling;
    bool prefill;          ///< the last message may be the assistant's
    bool system_messages;  ///< role "system" inside `messages`
    bool tool_forcing;     ///< tool_choice any or tool
    bool deprecated;
};

[[nodiscard]] std::span<model_info const> all_models();

/// By id or full id; null if there is no such model.
[[nodiscard]] model_info const* find_model(std::string_view id);

}  // namespace engram::simulator
