#include "models.hpp"

namespace engram::simulator {
namespace {

using enum thinking_rule;

constexpr auto one = sampling_rule::one_of;
constexpr auto any = sampling_rule::free;
constexpr auto def = sampling_rule::default_only;
constexpr std::int64_t mega = 1'000'000;

// id, full id, name, created, context, max output, cache minimum, thinking, sampling,
// prefill, system messages, tool forcing, deprecated
constexpr model_info models[] = {
    {"claude-fable-5-2", "claude-fable-5-2", "Claude Fable 5.2", "2026-11-09T00:00:00Z", mega, 128000, 512,
     always, def, false, true, false, false},
    {"claude-fable-5-1", "claude-fable-5-1", "Claude Fable 5.1", "2026-08-20T00:00:00Z", mega, 128000, 512,
     always, def, false, true, false, false},
    {"claude-opus-5-5", "claude-opus-5-5", "Claude Opus 5.5", "2026-10-07T00:00:00Z", mega, 128000, 512,
     always, def, false, true, false, false},
    {"claude-sonnet-5-5", "claude-sonnet-5-5", "Claude Sonnet 5.5", "2026-10-07T00:00:00Z", mega, 128000, 512,
     on_between_tools, def, false, false, false, false},
    {"claude-haiku-5-5", "claude-haiku-5-5", "Claude Haiku 5.5", "2026-10-07T00:00:00Z", mega, 128000, 512,
     on_by_effort, def, false, false, true, false},
    {"claude-opus-5", "claude-opus-5", "Claude Opus 5", "2026-07-01T00:00:00Z", mega, 128000, 512,
     on_by_effort, def, false, true, true, false},
    {"claude-sonnet-5", "claude-sonnet-5", "Claude Sonnet 5", "2026-07-01T00:00:00Z", mega, 128000, 1024, on,
     def, false, false, true, false},
    {"claude-opus-4-8", "claude-opus-4-8", "Claude Opus 4.8", "2026-05-14T00:00:00Z", mega, 128000, 1024,
     thinking_rule::adaptive, def, false, true, true, false},
    {"claude-opus-4-7", "claude-opus-4-7", "Claude Opus 4.7", "2026-04-16T00:00:00Z", mega, 128000, 2048,
     thinking_rule::adaptive, def, false, false, true, false},
    {"claude-opus-4-6", "claude-opus-4-6", "Claude Opus 4.6", "2026-02-05T00:00:00Z", mega, 128000, 4096,
     manual_or_adaptive, any, false, false, true, false},
    {"claude-sonnet-4-6", "claude-sonnet-4-6", "Claude Sonnet 4.6", "2026-02-17T00:00:00Z", mega, 128000,
     1024, manual_or_adaptive, any, false, false, true, false},
    {"claude-opus-4-5", "claude-opus-4-5-20251101", "Claude Opus 4.5", "2025-11-01T00:00:00Z", 200000, 64000,
     4096, manual, one, true, false, true, false},
    {"claude-haiku-4-5", "claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-01T00:00:00Z", 200000,
     64000, 4096, manual, one, true, false, true, false},
    {"claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29T00:00:00Z", 200000,
     64000, 1024, manual, one, true, false, true, true},
};

}  // namespace

std::span<model_info const> all_models() {
    return models;
}

model_info const* find_model(std::string_view id) {
    for (auto const& m : models)
        if (m.id == id || m.full_id == id) return &m;
    return nullptr;
}

}  // namespace engram::simulator
