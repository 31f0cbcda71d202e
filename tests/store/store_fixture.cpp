#include "store_fixture.hpp"

#include <algorithm>
#include <cstdlib>

namespace engram::store::test {

using namespace std::chrono_literals;

temporary_folder::temporary_folder() {
    auto name = (std::filesystem::temp_directory_path() / "engram-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

options options_for(std::string const& path) {
    options with;
    with.path = path;
    with.synchronous_full = false;
    return with;
}

base::wall_time at(std::int64_t seconds) {
    return base::wall_time(1'704'067'200s + std::chrono::seconds(seconds));
}

job_key job(std::string const& id, std::string const& ticket, std::string const& body) {
    return {id, ticket, body};
}

exchange exchange_of(conversation const& of, job_key const& key, std::vector<new_memory> memories) {
    exchange made{
        .job = key,
        .of = of,
        .turns = {{role::user, "question " + key.job_id}, {role::assistant, "answer " + key.job_id}},
        .memories = std::move(memories),
        .at = at(),
        .seen = {},
        .reply_to = "reply:" + key.job_id,
        .compose_reply = {}};
    made.compose_reply = [id = key.job_id](std::vector<saved_memory> const& saved) {
        std::string reply = "reply " + id;
        for (auto const& one : saved)
            reply += " " + std::to_string(one.id);
        return reply;
    };
    return made;
}

failure failure_of(job_key const& key, std::string const& reply) {
    return {key, "u", reply, "claude_rejected", "because of " + reply, at(), std::nullopt};
}

std::vector<memory> by_age(std::vector<memory> memories) {
    std::ranges::sort(memories, {}, &memory::id);
    return memories;
}

context_query query_of(conversation const& of, std::string const& job_id) {
    return {job(job_id), of, 20, 40};
}

void fill(opened_store& into, conversation const& of, int turns, std::string const& prefix) {
    for (int i = 0; i < turns / 2; ++i) {
        auto const id = prefix + "-" + of.user_id + "-" + of.session_id + "-" + std::to_string(i);
        auto const done = into.get(into->commit_exchange(exchange_of(of, job(id))));
        if (!done.committed) throw std::runtime_error("the job " + id + " was there already");
    }
}

connection look_at(std::string const& path) {
    return {path, connection::access::read_write, 10s};
}

std::int64_t number(std::string const& path, std::string const& sql) {
    return look_at(path).query_integer(sql);
}

std::string dump_of(std::string const& path, std::string const& user_id) {
    auto db = look_at(path);
    std::string all;
    auto const add = [&](std::string const& sql, auto const& value) {
        auto statement = db.prepare(sql);
        auto found = statement.query(value);
        while (found.next())
            all += std::string(found.bytes(0)) + "\n";
    };
    for (std::string const table : {"long_term_memory", "conversation_history", "engram_session",
                                    "engram_finished_job", "engram_failed_delivery", "engram_user"}) {
        std::string columns;
        auto names = db.prepare("SELECT name FROM pragma_table_info(?1)");
        auto found = names.query(table);
        while (found.next())
            columns +=
                (columns.empty() ? "quote(" : " || ', ' || quote(") + std::string(found.bytes(0)) + ")";
        add("SELECT '" + table + ": ' || " + columns + " FROM " + table + " WHERE user_id = ?1 ORDER BY 1",
            user_id);
    }
    add("SELECT 'source: ' || memory_id || ', ' || user_turn FROM engram_memory_source "
        "WHERE memory_id IN (SELECT id FROM long_term_memory WHERE user_id = ?1) ORDER BY 1",
        user_id);
    add("SELECT 'entries: ' || place || ' ' || hex(entries) FROM engram_recall "
        "WHERE place >> 36 = (SELECT user_key FROM engram_user WHERE user_id = ?1) ORDER BY place",
        user_id);
    return all;
}

}  // namespace engram::store::test
