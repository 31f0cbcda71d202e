#include "daemon/config_table_memory.hpp"

#include "daemon/config_checks.hpp"

#include <array>

namespace engram::daemon {
namespace {

// Limits that only keep a typing error from becoming an outage.
constexpr std::int64_t ten_minutes_ms = 600'000;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;

constexpr std::string_view category_example = R"([[memory.category]]
name = "crm_contact"
description = "people and companies the user deals with: name, role, company, how to reach them"
max_per_user = 200

[[memory.category]]
name = "project_status"
description = "how a project of the user stands: milestones, blockers, dates, who is waiting for what"
max_per_user = 50
ttl = "90d"

[[memory.category]]
name = "billing_tier"
description = "the user's plan and billing: tier, seats, renewal date, open invoices"
max_per_user = 5
ttl = "365d"
)";

#define AT(member) .at = [](config& c) -> config_slot { return &c.member; }

constexpr std::array keys = std::to_array<config_key>({
    {.name = "memory.limit",
     .unit = "memories",
     .min = 0,
     .max = 10'000,
     .reloadable = true,
     .help = "Memories in the list at the beginning of a prompt, besides summaries; 0: no list. The list is\n"
             "meant to be bounded by memory.max_tokens.",
     AT(chat.memory_limit)},
    {.name = "memory.recent_summaries",
     .unit = "summaries",
     .min = 0,
     .max = 1'000,
     .reloadable = true,
     .help = "Summaries of other conversations in the list, the newest; others are found for a message.",
     AT(chat.recent_summaries)},
    {.name = "memory.recall_limit",
     .unit = "entries",
     .min = 0,
     .max = 1'000,
     .reloadable = true,
     .help = "Memories and earlier turns found for a message and put in front of it; 0: off.",
     AT(chat.recall_limit)},
    {.name = "memory.max_tokens",
     .unit = "tokens",
     .min = 0,
     .max = 1'000'000,
     .reloadable = true,
     .help = "Of the list and of what was found together, estimated; the least useful entries stay out.",
     AT(chat.memory_tokens)},
    {.name = "memory.history_turns",
     .unit = "turns",
     .min = 0,
     .max = 10'000,
     .reloadable = true,
     .help = "Turns of the conversation in a prompt: a cap for when summaries lag.",
     AT(chat.history_turns)},
    {.name = "memory.history_bytes",
     .unit = "bytes",
     .min = 0,
     .max = 30'000'000,
     .reloadable = true,
     .help =
         "Bytes of the conversation in a prompt: older turns stay out, so that long messages cannot outgrow "
         "the model's context.",
     AT(chat.history_bytes)},
    {.name = "memory.max_note_bytes",
     .unit = "bytes",
     .min = 1,
     .max = 8'000,
     .reloadable = true,
     .help = "The longest memory that the model can note; a longer one is not kept, but counted.",
     AT(chat.max_note_bytes)},
    {.name = "memory.max_notes",
     .unit = "notes",
     .min = 0,
     .max = 1'000,
     .reloadable = true,
     .help = "Notes that are kept of one answer of the model, the first ones; the others are counted. Those\n"
             "that forget something do not count.",
     AT(chat.max_notes)},
    {.name = "memory.settle_ms",
     .unit = "ms",
     .min = 0,
     .max = 7 * day_ms,
     .help =
         "How long after a start, and after a jump of a clock, nothing is deleted for its age: memories, "
         "what\n"
         "is kept for repeats of jobs, dead letters. 24 times as long while the time looks a week too late.",
     AT(settle)},
    {.name = "memory.word_neighbours",
     .help = "The table by which related words are found (dog, puppy). Empty: as installed; \"off\": none.",
     AT(word_neighbours)},
    // The last of its section: what stands in a file after [[memory.category]] belongs to that.
    {.name = "memory.category",
     .reloadable = true,
     .help = "Kinds of memories besides fact and preference, or in their place; in a file also as\n"
             "tables [[memory.category]]. Each has a name, a description (one line that tells the model\n"
             "what belongs there) and, where there is a limit, max_per_user (the one seen least lately\n"
             "goes) and ttl (\"90d\", \"12h\", \"30m\" or \"45s\" after it was last seen).",
     .example = category_example,
     AT(categories)},

    {.name = "embedding.base_url",
     .help = "Where the endpoint is; /v1/embeddings is appended. Empty: off. Texts of users go there:\n"
             "http:// is for a local one.",
     AT(embedding.base_url),
     .check = check_embedding_url},
    {.name = "embedding.model",
     .help = "The model. With another one all vectors are made anew, in the background.",
     AT(embedding.model),
     .check = check_embedding_model},
    {.name = "embedding.provider",
     .words = "openai|voyage",
     .help = "What the endpoint speaks: openai, as most servers do, or voyage.",
     AT(embedding.provider)},
    {.name = "embedding.dimensions",
     .unit = "numbers",
     .min = 0,
     .max = 4'096,
     .help = "Of a vector, asked of the model; 0: as many as it makes by itself.",
     AT(embedding.dimensions)},
    {.name = "embedding.timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = ten_minutes_ms,
     .help = "For the vector of a message; after it the search goes by words alone.",
     AT(embedding.timeout)},
    {.name = "embedding.batch_timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = hour_ms,
     .help = "For a request with memories and turns, made in the background.",
     AT(embedding.batch_timeout)},
    {.name = "embedding.batch",
     .unit = "texts",
     .min = 1,
     .max = 2'048,
     .help = "The most texts in one such request.",
     AT(embedding.batch)},
    {.name = "embedding.ca_file",
     .help = "CA certificates to trust instead of the system's.",
     AT(embedding.ca_file)},

    {.name = "summary.enabled",
     .reloadable = true,
     .help = "Condense the oldest turns of long conversations.",
     AT(summary.enabled)},
    {.name = "summary.model",
     .reloadable = true,
     .help = "The model that condenses.",
     AT(summary.model),
     .check = check_model},
    {.name = "summary.max_tokens",
     .unit = "tokens",
     .min = 1,
     .max = 1'000'000,
     .reloadable = true,
     .help = "The longest summary; thinking counts too.",
     AT(summary.max_tokens)},
    {.name = "summary.trigger_turns",
     .unit = "turns",
     .min = 2,
     .max = 10'000,
     .reloadable = true,
     .help = "A conversation with this many turns outside of summaries gets one; user and assistant\n"
             "turns both count.",
     AT(summary.trigger_turns)},
    {.name = "summary.trigger_bytes",
     .unit = "bytes",
     .min = 1'000,
     .max = 30'000'000,
     .reloadable = true,
     .help =
         "A conversation with so many bytes outside of summaries gets one, too, however few turns they are.",
     AT(summary.trigger_bytes)},
    {.name = "summary.keep_turns",
     .unit = "turns",
     .min = 0,
     .max = 9'999,
     .reloadable = true,
     .help = "The newest turns that stay out of it. Less than trigger_turns.",
     AT(summary.keep_turns)},
    {.name = "summary.condense_tokens",
     .unit = "tokens",
     .min = 0,
     .max = 20'000,
     .reloadable = true,
     .help = "The summaries of one conversation have room for so much, estimated; beyond that the oldest\n"
             "become one. 0: never.",
     AT(summary.condense_tokens)},
    {.name = "summary.workers",
     .unit = "calls",
     .min = 1,
     .max = 1'000,
     .help = "Summaries made at a time while few conversations wait.",
     AT(summary.workers)},
    {.name = "summary.max_workers",
     .unit = "calls",
     .min = 0,
     .max = 1'000,
     .reloadable = true,
     .help = "Summaries made at a time while many conversations wait; at least summary.workers. The calls\n"
             "beyond those take no connection (claude.max_connections) that a job could need.",
     AT(summary.max_workers)},
    {.name = "summary.delete_turns",
     .reloadable = true,
     .help = "Delete summarized turns instead of keeping them, marked, in the database.",
     AT(summary.delete_turns)},
    {.name = "summary.sweep_ms",
     .unit = "ms",
     .min = 10,
     .max = day_ms,
     .reloadable = true,
     .help = "How often the database is searched for conversations whose summary was missed.",
     AT(summary.sweep)},
    {.name = "summary.timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = day_ms,
     .reloadable = true,
     .help = "For one summary, all tries together.",
     AT(summary.timeout)},

    {.name = "consolidation.enabled",
     .reloadable = true,
     .help = "Whether it is done at all.",
     AT(consolidation.enabled)},
    {.name = "consolidation.model",
     .reloadable = true,
     .help = "The model that is asked.",
     AT(consolidation.model),
     .check = check_model},
    {.name = "consolidation.max_tokens",
     .unit = "tokens",
     .min = 1,
     .max = 1'000'000,
     .reloadable = true,
     .help = "The longest answer; thinking counts too.",
     AT(consolidation.max_tokens)},
    {.name = "consolidation.every_memories",
     .unit = "memories",
     .min = 1,
     .max = 100'000,
     .reloadable = true,
     .help = "A user's turn comes after this many new memories.",
     AT(consolidation.every_memories)},
    {.name = "consolidation.interval_hours",
     .unit = "hours",
     .min = 0,
     .max = 87'600,
     .reloadable = true,
     .help = "It also comes this long after the last time, if there is any new memory; 0: by count only.",
     AT(consolidation.interval)},
    {.name = "consolidation.most_memories",
     .unit = "memories",
     .min = 2,
     .max = 10'000,
     .reloadable = true,
     .help = "Shown to the model at a time, the newest.",
     AT(consolidation.most_memories)},
    {.name = "consolidation.timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = day_ms,
     .reloadable = true,
     .help = "For one user, all tries together.",
     AT(consolidation.timeout)},
    {.name = "consolidation.sweep_ms",
     .unit = "ms",
     .min = 10,
     .max = day_ms,
     .reloadable = true,
     .help = "How often users are looked for.",
     AT(consolidation.sweep)},
});

#undef AT

}  // namespace

std::span<config_key const> memory_keys() {
    return keys;
}

}  // namespace engram::daemon
