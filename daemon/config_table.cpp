#include "daemon/config_checks.hpp"
#include "daemon/config_keys.hpp"
#include "daemon/config_table_memory.hpp"

#include <array>
#include <vector>

namespace engram::daemon {
namespace {

// Limits that only keep a typing error from becoming an outage.
constexpr std::int64_t ten_minutes_ms = 600'000;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t gib = 1'073'741'824;

constexpr std::array sections = std::to_array<config_section>({
    {"redis", "The Redis that holds the queue."},
    {"claude",
     "The Messages API. The key is not set here: it comes from the credential file\n"
     "anthropic_api_key (see engramd.service) or from the variable ANTHROPIC_API_KEY."},
    {"store", "The database of conversations and memories."},
    {"queue", "How jobs are taken and answered."},
    {"memory", "What goes into a prompt, and the kinds of memories."},
    {"embedding",
     "An embedding endpoint, by which memories are found that share no word with the message; off\n"
     "unless base_url is set. The key is not set here: it comes from the credential file\n"
     "embedding_api_key (see engramd.service) or from the variable EMBEDDING_API_KEY."},
    {"summary", "Summaries of long conversations, made in the background."},
    {"consolidation",
     "Memories of a user that say the same, or are out of date, brought together by a model in the\n"
     "background. Every call costs money, so it is off unless enabled."},
    {"instance", "This process among others on the same queue."},
    {"log", "The log."},
    {"http", "Pages for health and metrics."},
});

#define AT(member) .at = [](config& c) -> config_slot { return &c.member; }

constexpr std::array work_keys = std::to_array<config_key>({
    {.name = "redis.url",
     .help = "redis://[[user]:password@]host[:port][/db], rediss:// for TLS, or\n"
             "unix://[[user]:password@]/path/to/socket[?db=N].",
     AT(queue.server.url),
     .check = check_redis_url},
    {.name = "redis.prefix",
     .help = "All keys begin with this and a colon. On Redis Cluster: \"{engram}\".",
     AT(queue.prefix),
     .check = check_prefix},
    {.name = "redis.sentinels",
     .help = "Sentinels that name the master, each host:port or a URL with its password. Host and port of "
             "redis.url\n"
             "are then not used; its user, password, database and scheme are.",
     AT(queue.server.sentinels),
     .check = check_sentinel},
    {.name = "redis.service",
     .help = "The name of the master among the Sentinels.",
     AT(queue.server.service)},
    {.name = "redis.ca_file",
     .help = "CA certificates to trust instead of the system's (rediss:// only).",
     AT(queue.server.ca_file)},
    {.name = "redis.connect_timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = ten_minutes_ms,
     .help = "For name lookup, TCP, TLS and login together.",
     AT(queue.server.connect_timeout)},
    {.name = "redis.command_timeout_ms",
     .unit = "ms",
     .min = 10,
     .max = ten_minutes_ms,
     .help = "How long Redis may be silent while a command waits for its answer.",
     AT(queue.server.command_timeout)},
    {.name = "redis.backoff_max_ms",
     .unit = "ms",
     .min = 1,
     .max = ten_minutes_ms,
     .help = "The longest pause between two attempts to connect.",
     AT(queue.server.backoff_max)},

    {.name = "claude.base_url",
     .help = "Where the API is; /v1/messages is appended. http:// is not encrypted: for a local endpoint.",
     AT(claude.base_url),
     .check = check_base_url},
    {.name = "claude.model",
     .reloadable = true,
     .help = "The model that answers.",
     AT(chat.model),
     .check = check_model},
    {.name = "claude.max_tokens",
     .unit = "tokens",
     .min = 1,
     .max = 1'000'000,
     .help = "The longest answer; thinking counts too.",
     AT(chat.max_tokens)},
    {.name = "claude.api_version",
     .help = "The anthropic-version header.",
     AT(claude.api_version),
     .check = check_header_text},
    {.name = "claude.auth",
     .words = "x-api-key|bearer",
     .help = "How the key is sent: in x-api-key, or as a bearer token in authorization.",
     AT(claude.auth)},
    {.name = "claude.ca_file",
     .help = "CA certificates to trust instead of the system's.",
     AT(claude.ca_file)},
    {.name = "claude.thinking",
     .words = "|disabled|adaptive|between_tools",
     .help = "The thinking type asked for; empty: the model's own default.",
     AT(claude.thinking)},
    {.name = "claude.prompt_cache",
     .help = "Mark the stable parts of the prompt for the provider's cache.",
     AT(claude.prompt_cache)},
    {.name = "claude.max_retries",
     .unit = "tries",
     .min = 0,
     .max = 20,
     .help = "Tries beyond the first.",
     AT(claude.max_retries)},
    {.name = "claude.timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = day_ms,
     .help = "For one try as a whole.",
     AT(claude.timeout)},
    {.name = "claude.connect_timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = ten_minutes_ms,
     .help = "For name lookup, TCP and TLS together.",
     AT(claude.connect_timeout)},
    {.name = "claude.idle_timeout_ms",
     .unit = "ms",
     .min = 1,
     .max = hour_ms,
     .help = "An unused connection is closed after this.",
     AT(claude.idle_timeout)},
    {.name = "claude.max_connections",
     .unit = "connections",
     .min = 1,
     .max = 100'000,
     .help = "Calls under way at most; others wait, chats before summaries.",
     AT(claude.max_connections)},
    {.name = "claude.max_idle_connections",
     .unit = "connections",
     .min = 0,
     .max = 100'000,
     .help = "Unused connections kept open.",
     AT(claude.max_idle_connections)},
    {.name = "claude.max_response_bytes",
     .unit = "bytes",
     .min = 1024,
     .max = gib,
     .help = "A longer response is an error.",
     AT(claude.max_response_bytes)},
    {.name = "claude.pause_retry_ms",
     .unit = "ms",
     .min = 10,
     .max = hour_ms,
     .help = "After a rejected key or a spend limit no jobs are taken, but one is tried this often.",
     AT(chat.pause_retry)},
    {.name = "claude.price",
     .unit = "USD per million tokens",
     .help = "Prices that go before the built-in ones, for cost_usd in replies. In a file also as\n"
             "[[claude.price]] with model (the beginning of its id), input, output, and, if they are\n"
             "not 1.25 and 0.1 times the input, cache_write and cache_read.",
     AT(claude.prices)},

    {.name = "store.path",
     .help = "The SQLite database; made if it is missing, its folder is not.",
     AT(store.path),
     .check = check_store_path},
    {.name = "store.readers",
     .unit = "threads",
     .min = 1,
     .max = 64,
     .help = "Threads that read, each with a connection of its own.",
     AT(store.readers)},
    {.name = "store.busy_timeout_ms",
     .unit = "ms",
     .min = 0,
     .max = ten_minutes_ms,
     .help = "How long a statement waits for another process that holds the database.",
     AT(store.busy_timeout)},
    {.name = "store.max_batch",
     .unit = "jobs",
     .min = 1,
     .max = 100'000,
     .help = "The most work that one transaction takes along.",
     AT(store.max_batch)},
    {.name = "store.cache_kib",
     .unit = "KiB",
     .min = 64,
     .max = 4'194'304,
     .help = "SQLite's page cache, for each connection.",
     AT(store.cache_kib)},
    {.name = "store.synchronous",
     .words = "normal|full",
     .help = "full: what was answered survives a power cut. normal: the last moments may not.",
     AT(store.synchronous_full)},

    {.name = "queue.max_in_flight",
     .unit = "jobs",
     .min = 1,
     .max = 100'000,
     .help = "Jobs under way in this process at a time.",
     AT(queue.max_in_flight)},
    {.name = "queue.max_parked",
     .unit = "jobs",
     .min = 1,
     .max = 10'000'000,
     .help = "Jobs of all users that wait or run in their conversations; what exceeds it stays in the list.",
     AT(queue.max_parked)},
    {.name = "queue.max_parked_per_user",
     .unit = "jobs",
     .min = 1,
     .max = 10'000'000,
     .help = "Of them, jobs of one user; what exceeds it waits behind these and hides no other user's jobs.",
     AT(queue.max_parked_per_user)},
    {.name = "queue.max_job_bytes",
     .unit = "bytes",
     .min = 64,
     .max = 64 * 1'048'576,
     .help = "A longer job is refused and goes to the dead letters.",
     AT(queue.max_job_bytes)},
    {.name = "queue.lease_ms",
     .unit = "ms",
     .min = 1'000,
     .max = hour_ms,
     .help = "A process silent for this long counts as dead and others take over its jobs.",
     AT(queue.lease)},
    {.name = "queue.deadline_ms",
     .unit = "ms",
     .min = 1,
     .max = day_ms,
     .help = "For jobs that name no deadline of their own.",
     AT(queue.deadline)},
    {.name = "queue.drain_ms",
     .unit = "ms",
     .min = 0,
     .max = hour_ms,
     .help = "At SIGTERM, how long jobs under way may still end by themselves; the others go back to\n"
             "the queue. Keep TimeoutStopSec of the systemd unit above it.",
     AT(queue.drain)},
    {.name = "queue.max_deliveries",
     .unit = "deliveries",
     .min = 1,
     .max = 1'000,
     .help = "A job during which this many processes died goes to the dead letters.",
     AT(queue.max_deliveries)},
    {.name = "queue.reply_ttl_s",
     .unit = "s",
     .min = 1,
     .max = 30 * 86'400,
     .help = "How long a reply waits in Redis to be read.",
     AT(queue.reply_ttl)},
    {.name = "queue.dedupe_hours",
     .unit = "hours",
     .min = 1,
     .max = 10 * 8'760,
     .help = "How long the outcome of a job is kept to answer a repeat of its id.",
     AT(queue.dedupe)},
    {.name = "queue.reply_prefixes",
     .help = "What a job's reply_to may begin with, besides <prefix>:reply:.",
     AT(queue.reply_prefixes),
     .check = check_reply_prefix},
});

constexpr std::array process_keys = std::to_array<config_key>({
    {.name = "instance.name",
     .help = "Shown in status and logs; empty: made of the host's name and the process id.",
     AT(queue.instance_name),
     .check = check_instance_name},

    {.name = "log.level",
     .words = "trace|debug|info|warn|error|off",
     .reloadable = true,
     .help = "The least that is logged. What users write is never logged.",
     AT(log.level)},
    {.name = "log.format",
     .words = "auto|text|json|journal",
     .help = "auto: text on a terminal, the journal under systemd, JSON lines otherwise.",
     AT(log.format)},

    {.name = "http.listen",
     .help = "address:port for health and metrics pages. Reserved: nothing is served yet.",
     AT(http_listen),
     .check = check_listen},
});

#undef AT

}  // namespace

std::span<config_section const> config_sections() {
    return sections;
}

std::span<config_key const> config_keys() {
    static std::vector<config_key> const keys = [] {
        std::vector<config_key> all(work_keys.begin(), work_keys.end());
        all.insert(all.end(), memory_keys().begin(), memory_keys().end());
        all.insert(all.end(), process_keys.begin(), process_keys.end());
        return all;
    }();
    return keys;
}

}  // namespace engram::daemon
