// Each key by itself: limits, words, what is shown, what a reload takes over.
#include "daemon/config_value.hpp"

#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

namespace {

using namespace engram;
using namespace engram::daemon;

bool accepts(std::vector<std::string> settings) {
    return load_config({.file = {},
                        .default_file = "/nonexistent",
                        .environment = {},
                        .settings = std::move(settings)})
        .has_value();
}

bool accepts(std::string const& setting) {
    return accepts(std::vector{setting});
}

loaded_config load(std::vector<std::string> settings) {
    auto loaded = load_config(
        {.file = {}, .default_file = "/nonexistent", .environment = {}, .settings = std::move(settings)});
    BOOST_REQUIRE(loaded.has_value());
    return *loaded;
}

std::vector<std::string> texts(std::vector<std::string_view> const& views) {
    return {views.begin(), views.end()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_values)

BOOST_AUTO_TEST_CASE(every_key_has_a_section_a_help_and_a_name_of_its_own) {
    std::set<std::string> names;
    for (auto const& key : config_keys()) {
        BOOST_TEST_CONTEXT(key.name) {
            BOOST_TEST(is_section(key.name.substr(0, key.name.find('.'))));
            BOOST_TEST(!key.help.empty());
            BOOST_TEST(names.insert(environment_name(key.name)).second);
            BOOST_TEST(find_key(key.name) == &key);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_key_points_at_a_member_of_its_own) {
    config values;
    std::set<void*> members;
    for (auto const& key : config_keys()) {
        void* const member = std::visit([](auto* at) { return static_cast<void*>(at); }, key.at(values));
        BOOST_TEST(members.insert(member).second, std::string(key.name) + " shares its member");
    }
}

BOOST_AUTO_TEST_CASE(every_number_has_a_unit_and_takes_its_limits_and_nothing_beyond) {
    config const defaults;
    for (auto const& key : config_keys()) {
        auto const value = value_of(key, defaults);
        if (!std::holds_alternative<std::int64_t>(value)) continue;
        BOOST_TEST_CONTEXT(key.name) {
            BOOST_TEST(!key.unit.empty());
            BOOST_TEST(key.min <= std::get<std::int64_t>(value));
            BOOST_TEST(std::get<std::int64_t>(value) <= key.max);
            config changed;
            BOOST_TEST(assign(key, key.min, changed).has_value());
            BOOST_TEST(std::get<std::int64_t>(value_of(key, changed)) == key.min);
            BOOST_TEST(assign(key, key.max, changed).has_value());
            BOOST_TEST(std::get<std::int64_t>(value_of(key, changed)) == key.max);
            BOOST_TEST(assign(key, key.min - 1, changed).has_error());
            BOOST_TEST(assign(key, key.max + 1, changed).has_error());
            BOOST_TEST(assign(key, std::string("1"), changed).has_error());
            BOOST_TEST(assign(key, true, changed).has_error());
            BOOST_TEST(std::get<std::int64_t>(value_of(key, changed)) == key.max);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_default_can_be_set_again_from_its_text) {
    config const defaults;
    for (auto const& key : config_keys()) {
        BOOST_TEST_CONTEXT(key.name) {
            config values;
            BOOST_TEST(assign(key, value_of(key, defaults), values).has_value());
            BOOST_TEST(to_toml(value_of(key, values)) == to_toml(value_of(key, defaults)));
        }
    }
}

BOOST_AUTO_TEST_CASE(words_reach_the_enums_they_stand_for) {
    auto const values = load({"log.level=warn", "log.format=journal", "claude.auth=bearer",
                              "store.synchronous=normal", "claude.thinking=between_tools"})
                            .values;
    BOOST_TEST((values.log.level == base::log_level::warn));
    BOOST_TEST((values.log.format == base::log_format::journal));
    BOOST_TEST((values.claude.auth == claude::auth_style::bearer));
    BOOST_TEST(!values.store.synchronous_full);
    BOOST_TEST(values.claude.thinking == "between_tools");
    BOOST_TEST(load({"store.synchronous=full"}).values.store.synchronous_full);
    BOOST_TEST((load({"log.level=trace"}).values.log.level == base::log_level::trace));
    BOOST_TEST((load({"log.level=off"}).values.log.level == base::log_level::off));
    BOOST_TEST((load({"log.format=auto"}).values.log.format == base::log_format::automatic));
    BOOST_TEST(!accepts("log.level=WARN"));
    BOOST_TEST(!accepts("claude.thinking=enabled"));
    BOOST_TEST(!accepts("store.synchronous=true"));
    BOOST_TEST(load({"embedding.provider=voyage"}).values.embedding.provider == "voyage");
    BOOST_TEST(!accepts("embedding.provider=cohere"));
}

BOOST_AUTO_TEST_CASE(addresses_are_checked) {
    for (auto const* url :
         {"redis://h", "redis://h:6380/3", "rediss://u:p@h:1", "redis://:p%2Fw@[::1]:6379/0",
          "unix:///run/redis.sock", "unix:///run/redis.sock?db=2", "unix://u:p@/run/redis.sock"})
        BOOST_TEST(accepts(std::string("redis.url=") + url), url);
    for (auto const* url :
         {"", "h:6379", "http://h", "redis://h:0", "redis://h:65536", "redis://h/x", "redis://h/-1",
          "redis://h h", "unix://", "unix://run/redis.sock", "redis://[::1"})
        BOOST_TEST(!accepts(std::string("redis.url=") + url), url);
    for (auto const* url :
         {"https://api.anthropic.com", "http://127.0.0.1:8080", "https://h/proxy/", "http://[::1]:1"})
        BOOST_TEST(accepts(std::string("claude.base_url=") + url), url);
    for (auto const* url :
         {"", "https://", "ftp://h", "h:80", "https://u:p@h", "https://h?x", "https://h#x", "https://h:99999",
          "https://h:", "https://a b", "https://h/v1/messages", "https://::1/"})
        BOOST_TEST(!accepts(std::string("claude.base_url=") + url), url);
    for (auto const* url : {"", "https://api.voyageai.com", "http://127.0.0.1:8080/v1", "http://[::1]:1"})
        BOOST_TEST(accepts({"embedding.model=m", std::string("embedding.base_url=") + url}), url);
    for (auto const* url : {"h:80", "ftp://h", "https://u:p@h", "https://h/v1/embeddings", "https://h?x"})
        BOOST_TEST(!accepts({"embedding.model=m", std::string("embedding.base_url=") + url}), url);
    for (auto const* address : {"", "127.0.0.1:9100", "[::]:9100", ":9100", "localhost:9100"})
        BOOST_TEST(accepts(std::string("http.listen=") + address), address);
    for (auto const* address : {"9100", "h:", "h:x", "::1:9100", "[::1]"})
        BOOST_TEST(!accepts(std::string("http.listen=") + address), address);
}

BOOST_AUTO_TEST_CASE(texts_are_checked) {
    for (auto const* bad :
         {"store.path=", "store.path=:memory:", "store.path=file:x?mode=memory", "store.path=/var/",
          "redis.prefix=", "redis.prefix=a b", "instance.name=a b", "instance.name=a/b", "claude.model=",
          "claude.model=a b", "claude.api_version=", "claude.api_version=a\r\nx: y", "embedding.model=a b",
          "consolidation.model=", "redis.ca_file=a\nb", "redis.ca_file=\xff", "queue.reply_prefixes=[\"\"]"})
        BOOST_TEST(!accepts(bad), bad);
    BOOST_TEST(!accepts("store.path=/" + std::string(5'000, 'x')));
    for (auto const* good : {"redis.prefix={engram}", "instance.name=host-1.example:2",
                             "instance.name=", "store.path=relative.db", "store.path=/var/lib/größe/x.db"})
        BOOST_TEST(accepts(good), good);
}

BOOST_AUTO_TEST_CASE(a_password_in_a_url_is_never_shown) {
    BOOST_TEST(redact_url("redis://user:pw@h:1/0") == "redis://user:***@h:1/0");
    BOOST_TEST(redact_url("redis://:pw@h") == "redis://:***@h");
    BOOST_TEST(redact_url("redis://pw@h") == "redis://***@h");
    BOOST_TEST(redact_url("redis://u:p@w@h") == "redis://u:***@h");
    BOOST_TEST(redact_url("redis://u:p/w@h") == "redis://u:***@h");
    BOOST_TEST(redact_url("unix://u:pw@/run/s?db=1") == "unix://u:***@/run/s?db=1");
    BOOST_TEST(redact_url("redis://h:1") == "redis://h:1");
    BOOST_TEST(redact_url("me@example") == "me@example");
    auto const text = describe(load({"redis.url=redis://u:hunter2@h"}), "not set", "not set");
    BOOST_TEST(text.find("hunter2") == std::string::npos);
    BOOST_TEST(text.find("url = \"redis://u:***@h\"  # --set\n") != std::string::npos);
    BOOST_TEST(text.find("# Claude API key: not set\n") != std::string::npos);
    auto const both = describe(load({}), "not set", "EMBEDDING_API_KEY");
    BOOST_TEST(both.find("# Claude API key: not set\n# embedding API key: EMBEDDING_API_KEY\n") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_text_with_quotation_marks_and_control_characters_survives_toml) {
    BOOST_TEST(to_toml(std::string("a\"b\\c\x01\x7F\n")) == R"("a\"b\\c\u0001\u007f\n")");
    BOOST_TEST(to_toml(text_list{"a", "b"}) == R"(["a", "b"])");
    BOOST_TEST(to_toml(price_list{{"m", 1, 2.5, 0, 1e-7}}) ==
               R"([{model = "m", input = 1.0, output = 2.5, cache_write = 0.0, cache_read = 0.0000001}])");
}

BOOST_AUTO_TEST_CASE(a_reload_takes_over_what_may_change_and_names_what_needs_a_restart) {
    auto const running = load({}).values;
    auto const fresh =
        load({"log.level=debug", "claude.model=m", "summary.trigger_turns=30", "memory.limit=3",
              "redis.prefix=other", "queue.max_in_flight=7", "claude.price=[{model='m', input=1, output=2}]"})
            .values;
    auto const plan = plan_reload(running, fresh);
    auto const applied =
        std::vector<std::string>{"claude.model", "memory.limit", "summary.trigger_turns", "log.level"};
    auto const restart = std::vector<std::string>{"redis.prefix", "claude.price", "queue.max_in_flight"};
    BOOST_TEST(texts(plan.applied) == applied);
    BOOST_TEST(texts(plan.need_restart) == restart);
    BOOST_TEST((plan.next.log.level == base::log_level::debug));
    BOOST_TEST(plan.next.chat.model == "m");
    BOOST_TEST(plan.next.summary.trigger_turns == 30u);
    BOOST_TEST(plan.next.queue.prefix == "engram");
    BOOST_TEST(plan.next.queue.max_in_flight == 256u);
    BOOST_TEST(plan_reload(fresh, fresh).applied.empty());
    BOOST_TEST(plan_reload(fresh, fresh).need_restart.empty());
}

BOOST_AUTO_TEST_CASE(only_these_are_reloadable) {
    for (auto const& key : config_keys()) {
        bool const expected = key.name == "log.level" || key.name == "claude.model" ||
                              key.name == "claude.max_tokens" || key.name == "claude.effort" ||
                              key.name.starts_with("claude.fallback_") || key.name == "queue.retry_for_ms" ||
                              key.name == "chat.timezone" || key.name == "store.adopt_ms" ||
                              (key.name.starts_with("memory.") && key.name != "memory.word_neighbours" &&
                               key.name != "memory.settle_ms") ||
                              key.name.starts_with("consolidation.") ||
                              (key.name.starts_with("summary.") && key.name != "summary.workers");
        BOOST_TEST(key.reloadable == expected, std::string(key.name));
    }
}

BOOST_AUTO_TEST_SUITE_END()
